"""Rate limits by address, and their header fields (draft-ietf-httpapi-ratelimit-headers)."""

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
from api.http.rate_storage import BoundedMemoryStorage
from api.problems.http_problems import TooManyRequests

log = logging.getLogger("clinic_api")

T = TypeVar("T")

# A request waits at most `_STORAGE_SECONDS` for the shared storage. After a failure, no request
# uses it for `_RETRY_SECONDS`.
_STORAGE_SECONDS = 0.5
_RETRY_SECONDS = 5.0
# The rate of an IPv6 network of 56 bits, as a multiple. Providers often give one such network to a
# customer.
_WIDER_TIMES = 10


class AddressLimiter:
    """Limits the rate of each address. `rate` is in the notation of `limits`; empty for no limit.

    An IPv6 network of 64 bits counts as one address. A network of 56 bits has ten times the rate.

    With `storage` (a URL of the library `limits`, such as `redis://HOST`), all processes share
    their counts. While the storage fails, each process counts alone.
    """

    def __init__(self, name: str, rate: str, *, storage: str | None = None) -> None:
        self._name = name
        self._rate = limits.parse(rate) if rate else None
        self._local = SlidingWindowCounterRateLimiter(BoundedMemoryStorage())
        self._shared = _connected(storage) if storage else None
        self._retry_at = 0.0

    @property
    def may_block(self) -> bool:
        """Whether `hit` and `is_within` use the network."""
        return self._shared is not None

    def is_within(self, address: str) -> bool:
        """Whether the next request would be allowed. Counts nothing."""
        return all(self._is_free(rate, network) for rate, network in self._networks(address))

    def hit(self, address: str) -> dict[str, str]:
        """Counts a request, and returns the header fields of its answer.

        Raises `TooManyRequests`. If two networks count, the fields are of the one with less left.
        """
        counted: list[tuple[int, dict[str, str]]] = []
        for rate, network in self._networks(address):
            is_within, remaining, seconds = self._count(rate, network)
            fields = {
                "RateLimit-Policy": f'"{self._name}";q={rate.amount};w={rate.get_expiry()}',
                "RateLimit": f'"{self._name}";r={remaining};t={seconds}',
            }
            if not is_within:
                raise TooManyRequests(headers={"Retry-After": str(seconds), **fields})
            counted.append((remaining, fields))
        return min(counted, key=lambda one: one[0])[1] if counted else {}

    def _is_free(self, rate: RateLimitItem, network: str) -> bool:
        return self._run_with_storage(lambda limiter: limiter.test(rate, self._name, network))

    def _count(self, rate: RateLimitItem, network: str) -> tuple[bool, int, int]:
        """Whether the request is allowed, how many more are, and the seconds until the reset."""
        key = (self._name, network)
        is_within, stats = self._run_with_storage(
            lambda limiter: (limiter.hit(rate, *key), limiter.get_window_stats(rate, *key))
        )
        seconds = max(1, int(stats.reset_time - time.time()) + 1)
        return is_within, stats.remaining if is_within else 0, seconds

    def _networks(self, address: str) -> list[tuple[RateLimitItem, str]]:
        """The networks under which an address is counted, each with its rate."""
        rate = self._rate
        if rate is None:
            return []
        narrow, wide = networks_of(address)
        if wide is None:
            return [(rate, narrow)]
        return [(rate, narrow), (type(rate)(rate.amount * _WIDER_TIMES, rate.multiples), wide)]

    def _run_with_storage(self, operation: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
        """Runs an operation with the shared storage, or with the local one while it fails."""
        if self._shared is not None and time.monotonic() >= self._retry_at:
            try:
                return operation(self._shared)
            except StorageError as error:
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                name = type(error.storage_error).__name__
                log.warning("the storage of rates failed, so each process counts alone: %s", name)
        return operation(self._local)


def _connected(storage: str) -> SlidingWindowCounterRateLimiter:
    seconds = {"socket_timeout": _STORAGE_SECONDS, "socket_connect_timeout": _STORAGE_SECONDS}
    return SlidingWindowCounterRateLimiter(
        storage_from_string(storage, wrap_exceptions=True, **seconds)
    )
