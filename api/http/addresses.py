"""Addresses as they are counted: an IPv6 network counts as one."""

from ipaddress import IPv6Address, ip_address


def networks_of(address: str) -> tuple[str, str | None]:
    """The network that counts as one address and, for IPv6, the wider one around it."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address, None
    if not isinstance(ip, IPv6Address):
        return address, None
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped), None
    # Several times faster than the networks of `ipaddress`.
    narrow, wide = (f"{int(ip) >> (128 - bits):x}/{bits}" for bits in (64, 56))
    return narrow, wide
