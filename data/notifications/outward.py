"""HTTP to addresses that somebody entered: never to the inside of the network.

The address is looked at when the connection is made and that very address is used, so that a name
cannot answer with one address to the check and with another to the call. There are no redirects
and no proxies.
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
# Called global by their registries, though they stand for other addresses or for a router's own:
# IETF protocol assignments, the 6to4 relays, Teredo, 6to4.
_OTHERS = [*map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/32", "2002::/16"))]
_SECONDS = 15.0
_PORTS = {"http": 80, "https": 443}


class AddressRefused(Exception):
    """The address leads inside the network, or cannot be called at all."""


def is_outside(address: str) -> bool:
    """Whether an IP address is a unicast one of the public Internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped or ip in _NAT64:
            return is_outside(str(IPv4Address(ip.packed[12:])))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _OTHERS)


async def post(
    url: str, *, content: bytes, headers: Mapping[str, str], inside: Sequence[Network]
) -> int:
    """The status of the answer; its body is not read.

    Addresses in `inside` may be called too, and over plain HTTP. Raises `AddressRefused`,
    `TimeoutError`, `OSError`.
    """
    # A tenth of a second and ten megabytes, which only those need who have webhooks.
    import httpx

    try:
        address = httpx.URL(url)
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(trust_env=False, timeout=_SECONDS, verify=trusted()) as client,
        ):
            ip = await _resolve(address.scheme, address.host, address.port, inside)
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
    # Reading the system's certificates takes longer than a call.
    return ssl.create_default_context()


async def _resolve(scheme: str, host: str, port: int | None, inside: Sequence[Network]) -> str:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port or _PORTS[scheme], type=socket.SOCK_STREAM)
    except UnicodeError:
        raise AddressRefused from None
    ips = [str(place[4][0]) for place in found]
    for ip in ips:
        is_inside = any(ip_address(ip.partition("%")[0]) in network for network in inside)
        if not is_inside and (scheme != "https" or not is_outside(ip)):
            raise AddressRefused
    return ips[0]
