"""How often one address may do a thing (`RateLimit` fields of draft-ietf-httpapi-ratelimit)."""

import logging
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar

import limits
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from api.problems import TooManyRequests

log = logging.getLogger("clinic_api")

T = TypeVar("T")

# Nobody waits long for a store that is away, nor at each request.
_STORAGE_SECONDS = 0.5
_AWAY_SECONDS = 5.0


class AddressLimiter:
    """Counts by address; an IPv6 network of 64 bits counts as one. An empty rate is no limit.

    With a `storage` (a URL of the library `limits`, such as `redis://HOST`) all processes count
    together; while it is away each counts for itself.
    """

    def __init__(self, name: str, rate: str, *, storage: str | None = None) -> None:
        self._name = name
        self._rate = limits.parse(rate) if rate else None
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._common = _connected(storage) if storage else None
        self._away_until = 0.0

    @property
    def waits(self) -> bool:
        """Whether an answer may take a while."""
        return self._common is not None

    def is_within(self, address: str) -> bool:
        """Whether the next one would be let through; it is not counted."""
        rate = self._rate
        if rate is None:
            return True
        return self._ask(lambda limiter: limiter.test(rate, self._name, network_of(address)))

    def hit(self, address: str) -> dict[str, str]:
        """Counts one and returns the header fields that tell of it; raises `TooManyRequests`."""
        rate = self._rate
        if rate is None:
            return {}
        who = (self._name, network_of(address))
        is_within, stats = self._ask(
            lambda limiter: (limiter.hit(rate, *who), limiter.get_window_stats(rate, *who))
        )
        seconds = max(1, int(stats.reset_time - time.time()) + 1)
        fields = {
            "RateLimit-Policy": f'"{self._name}";q={rate.amount};w={rate.get_expiry()}',
            "RateLimit": f'"{self._name}";r={stats.remaining if is_within else 0};t={seconds}',
        }
        if not is_within:
            raise TooManyRequests(headers={"Retry-After": str(seconds), **fields})
        return fields

    def _ask(self, question: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
        if self._common is not None and time.monotonic() >= self._away_until:
            try:
                return question(self._common)
            except StorageError as error:
                self._away_until = time.monotonic() + _AWAY_SECONDS
                name = type(error.storage_error).__name__
                log.warning("each process counts for itself: %s", name)
        return question(self._own)


def _connected(storage: str) -> SlidingWindowCounterRateLimiter:
    seconds = {"socket_timeout": _STORAGE_SECONDS, "socket_connect_timeout": _STORAGE_SECONDS}
    return SlidingWindowCounterRateLimiter(
        storage_from_string(storage, wrap_exceptions=True, **seconds)
    )


def network_of(address: str) -> str:
    """What is counted as one: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
    return address
