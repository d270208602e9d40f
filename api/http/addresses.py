"""Groups client addresses for counting: all addresses of one IPv6 network count as one."""

from ipaddress import IPv6Address, ip_address


def networks_of(address: str) -> tuple[str, str | None]:
    """The name under which an address is counted, and for IPv6 the name of the wider network.

    For IPv6 these are the networks of 64 and of 56 bits. A text that is no IP address is returned
    unchanged.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address, None
    if not isinstance(ip, IPv6Address):
        return address, None
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped), None
    # Several times faster than `ipaddress.ip_network`.
    narrow, wide = (f"{int(ip) >> (128 - bits):x}/{bits}" for bits in (64, 56))
    return narrow, wide
