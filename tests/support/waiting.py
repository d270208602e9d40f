"""Waits for another process or thread.

The timeout is long: a busy machine is slow. The benchmark measures speed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

# Seconds. On an idle machine each wait ends much sooner.
PATIENCE = 60.0


def wait_for(condition: Callable[[], object], *, pause: float = 0.02) -> None:
    """Blocks until the condition is true; for tests without an event loop."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(pause)


async def wait_until(condition: Callable[[], Awaitable[object]]) -> None:
    """Waits until the condition is true; for tests with an event loop."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.02)
