"""How often one address may do a thing (`RateLimit` fields of draft-ietf-httpapi-ratelimit)."""

import time
from ipaddress import IPv6Address, ip_address, ip_network

import limits
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.problems import TooManyRequests


class AddressLimiter:
    """Counts by address; an IPv6 network of 64 bits counts as one. An empty rate is no limit."""

    def __init__(self, name: str, rate: str) -> None:
        self._name = name
        self._rate = limits.parse(rate) if rate else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def is_within(self, address: str) -> bool:
        """Whether the next one would be let through; it is not counted."""
        return self._rate is None or self._limiter.test(self._rate, _network(address))

    def hit(self, address: str) -> dict[str, str]:
        """Counts one and returns the header fields that tell of it; raises `TooManyRequests`."""
        if self._rate is None:
            return {}
        network = _network(address)
        is_within = self._limiter.hit(self._rate, network)
        stats = self._limiter.get_window_stats(self._rate, network)
        seconds = max(1, int(stats.reset_time - time.time()) + 1)
        fields = {
            "RateLimit-Policy": (
                f'"{self._name}";q={self._rate.amount};w={self._rate.get_expiry()}'
            ),
            "RateLimit": f'"{self._name}";r={stats.remaining if is_within else 0};t={seconds}',
        }
        if not is_within:
            raise TooManyRequests(headers={"Retry-After": str(seconds), **fields})
        return fields


def _network(address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
    return address
