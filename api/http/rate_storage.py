"""Counts of a sliding window in the memory of this process, for a limited number of keys."""

import threading
import time
from itertools import islice
from math import floor

from limits.storage import MemoryStorage

MAX_KEYS = 100_000


class BoundedMemoryStorage(MemoryStorage):
    """Keeps the counts of the 100,000 keys that were counted last.

    The library's own storage has no limit, and visits all its keys after each count.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        # By key: number of the latest window, count in this window, count in the previous window.
        self._windows: dict[str, tuple[int, int, int]] = {}

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        with self._lock:
            now = time.time()
            number, current, previous = self._window(key, int(now / expiry))
            left = 1 - (now / expiry) % 1
            if floor(previous * left + current) + amount > limit:
                return False
            # Moves the key to the end: the keys are in the order of their last count.
            self._windows.pop(key, None)
            self._windows[key] = (number, current + amount, previous)
            if len(self._windows) > MAX_KEYS:
                self._remove_oldest()
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        now = time.time()
        _, current, previous = self._window(key, int(now / expiry))
        left = (1 - (now / expiry) % 1) * expiry
        return previous, left if previous else 0.0, current, left + expiry

    def _window(self, key: str, number: int) -> tuple[int, int, int]:
        latest, current, previous = self._windows.get(key, (number, 0, 0))
        if latest == number:
            return number, current, previous
        return number, 0, current if latest == number - 1 else 0

    def _remove_oldest(self) -> None:
        # Many at once, because a dictionary finds its first key more slowly after each removal.
        for key in list(islice(self._windows, MAX_KEYS // 20)):
            del self._windows[key]
