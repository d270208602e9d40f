"""The way to the database for those who write: as many at once as it lets write, the rest in line.

Those who wait hold no thread.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from api.problems.catalogue import RETRY_AFTER, Unavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_WAIT_SECONDS = 10
_TOGETHER = 64


@asynccontextmanager
async def turn(writers: asyncio.Semaphore) -> AsyncIterator[None]:
    """Raises `Unavailable` for whoever has waited too long."""
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await writers.acquire()
    except TimeoutError:
        raise Unavailable(headers=RETRY_AFTER) from None
    try:
        yield
    finally:
        writers.release()


class Lane(Generic[Item, Outcome]):
    """One transaction for everybody who is waiting: a commit takes as long for one as for many.

    `perform` does it, in a thread: it returns what came of each item, or an exception for it, when
    all of them are committed; what it raises comes to each of them.
    """

    def __init__(
        self,
        perform: Callable[[Sequence[Item]], Sequence[Outcome | Exception]],
        *,
        writers: asyncio.Semaphore,
    ) -> None:
        self._perform = perform
        self._writers = writers
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._driver: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._driver is None:
            self._driver = asyncio.create_task(self._drive())
        return await future

    async def _drive(self) -> None:
        while self._waiting:
            taken: list[tuple[Item, asyncio.Future[Outcome]]] = []
            outcomes: Sequence[Outcome | Exception]
            try:
                async with turn(self._writers):
                    taken, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                    outcomes = await run_in_threadpool(self._perform, [item for item, _ in taken])
            except Exception as error:
                if not taken:
                    taken, self._waiting = self._waiting, []
                outcomes = [error] * len(taken)
            for (_, future), outcome in zip(taken, outcomes, strict=True):
                if future.cancelled():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        self._driver = None
