"""HTTP calls to URLs that staff entered, which must not reach the internal network.

A host name is resolved once: the address that was checked is the address that is called. So a name
cannot resolve to another address after the check (DNS rebinding). Redirects are not followed, and
proxies are not used.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
# `is_global` is true for some of these addresses, but they lead to other addresses or to a router:
# IETF protocol assignments, the 6to4 relays, Teredo, 6to4.
_SPECIAL = [*map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/32", "2002::/16"))]
_TIMEOUT_SECONDS = 15.0
_PORTS = {"http": 80, "https": 443}


class AddressRefused(Exception):
    """The address is on the internal network, or the URL is not valid."""


def is_outside(address: str) -> bool:
    """Whether an IP address is a unicast address of the public Internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped or ip in _NAT64:
            return is_outside(str(IPv4Address(ip.packed[12:])))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SPECIAL)


async def post(
    url: str, *, content: bytes, headers: Mapping[str, str], allowed: Sequence[Network]
) -> int:
    """Returns the status code of the answer, and does not read its body.

    Internal addresses in `allowed` may be called too, also over plain HTTP. Raises
    `AddressRefused`, `TimeoutError`, `OSError`.
    """
    # Imported late: it takes 0.1 s and 10 MB, which a service without webhooks does not need.
    import httpx

    try:
        address = httpx.URL(url)
        async with (
            asyncio.timeout(_TIMEOUT_SECONDS),
            httpx.AsyncClient(
                trust_env=False, timeout=_TIMEOUT_SECONDS, verify=trusted()
            ) as client,
        ):
            ip = await _resolve(address.scheme, address.host, address.port, allowed)
            request = client.build_request(
                "POST",
                address.copy_with(host=ip),
                content=content,
                headers={**headers, "Host": address.netloc.decode()},
                extensions={"sni_hostname": address.host},
            )
            answer = await client.send(request, stream=True)
            await answer.aclose()
            return answer.status_code
    except httpx.InvalidURL:
        raise AddressRefused from None
    except httpx.TimeoutException:
        raise TimeoutError from None
    except httpx.HTTPError:
        raise OSError from None


@cache
def trusted() -> ssl.SSLContext:
    # Cached, because loading the system's certificates takes longer than a call.
    return ssl.create_default_context()


async def _resolve(scheme: str, host: str, port: int | None, allowed: Sequence[Network]) -> str:
    """The IP address to call. Raises `AddressRefused` if any address of the name is refused."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port or _PORTS[scheme], type=socket.SOCK_STREAM)
    except UnicodeError:
        raise AddressRefused from None
    ips = [str(info[4][0]) for info in found]
    for ip in ips:
        is_allowed = any(ip_address(ip.partition("%")[0]) in network for network in allowed)
        if not is_allowed and (scheme != "https" or not is_outside(ip)):
            raise AddressRefused
    return ips[0]
