"""How often one address may do a thing (`RateLimit` fields of draft-ietf-httpapi-ratelimit)."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import limits
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from api.http.addresses import networks_of
from api.http.rate_counts import BoundedMemoryStorage
from api.problems.protocol import TooManyRequests

log = logging.getLogger("clinic_api")

T = TypeVar("T")

# Nobody waits long for a store that is away, nor at each request.
_STORAGE_SECONDS = 0.5
_AWAY_SECONDS = 5.0
# An IPv6 network of 56 bits is what a provider commonly gives to one customer.
_WIDER_TIMES = 10


class AddressLimiter:
    """Counts by address. An empty rate is no limit.

    An IPv6 network of 64 bits counts as one address, and one of 56 bits may send ten times as much.

    With a `storage` (a URL of the library `limits`, such as `redis://HOST`) all processes count
    together; while it is away each counts for itself.
    """

    def __init__(self, name: str, rate: str, *, storage: str | None = None) -> None:
        self._name = name
        self._rate = limits.parse(rate) if rate else None
        self._own = SlidingWindowCounterRateLimiter(BoundedMemoryStorage())
        self._common = _connected(storage) if storage else None
        self._away_until = 0.0

    @property
    def waits(self) -> bool:
        """Whether an answer may take a while."""
        return self._common is not None

    def is_within(self, address: str) -> bool:
        """Whether the next one would be let through; it is not counted."""
        return all(self._has_room(rate, network) for rate, network in self._counted(address))

    def hit(self, address: str) -> dict[str, str]:
        """Counts one and returns the header fields that tell of it; raises `TooManyRequests`."""
        told: list[tuple[int, dict[str, str]]] = []
        for rate, network in self._counted(address):
            is_within, remaining, seconds = self._count(rate, network)
            fields = {
                "RateLimit-Policy": f'"{self._name}";q={rate.amount};w={rate.get_expiry()}',
                "RateLimit": f'"{self._name}";r={remaining};t={seconds}',
            }
            if not is_within:
                raise TooManyRequests(headers={"Retry-After": str(seconds), **fields})
            told.append((remaining, fields))
        return min(told, key=lambda one: one[0])[1] if told else {}

    def _has_room(self, rate: RateLimitItem, network: str) -> bool:
        return self._ask(lambda limiter: limiter.test(rate, self._name, network))

    def _count(self, rate: RateLimitItem, network: str) -> tuple[bool, int, int]:
        """Whether one more is let through, how many are left, and for how many seconds."""
        key = (self._name, network)
        is_within, stats = self._ask(
            lambda limiter: (limiter.hit(rate, *key), limiter.get_window_stats(rate, *key))
        )
        seconds = max(1, int(stats.reset_time - time.time()) + 1)
        return is_within, stats.remaining if is_within else 0, seconds

    def _counted(self, address: str) -> list[tuple[RateLimitItem, str]]:
        """The networks that an address is counted under, each with its rate."""
        rate = self._rate
        if rate is None:
            return []
        narrow, wide = networks_of(address)
        if wide is None:
            return [(rate, narrow)]
        return [(rate, narrow), (type(rate)(rate.amount * _WIDER_TIMES, rate.multiples), wide)]

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
