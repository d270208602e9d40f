"""Waiting for what another process or thread does.

How fast that is belongs to the benchmark: here a machine may be busy, and only a standstill fails.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

# Seconds; whatever is waited for takes a moment on an idle machine.
PATIENCE = 60.0


def wait_for(condition: Callable[[], object], *, pause: float = 0.02) -> None:
    """Until it holds; for tests without an event loop."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(pause)


async def wait_until(condition: Callable[[], Awaitable[object]]) -> None:
    """Until it holds; for tests with an event loop."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.02)
