"""Limits concurrent writers of one database; the rest wait in a queue without holding a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from data.database import count_writers, writing

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
T = TypeVar("T")

_WAIT_SECONDS = 10
_TOGETHER = 64


class WriteQueueTimeout(Exception):
    """A writer waited too long for its turn."""


class WriteQueue:
    """The one way in for everything that writes while the service runs."""

    def __init__(self, engine: Engine) -> None:
        writers = count_writers(engine)
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(writers)
        # Threads of its own: a write must not wait for a thread behind a slow mail server.
        self._threads = ThreadPoolExecutor(writers, thread_name_prefix="write")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Raises `WriteQueueTimeout` after ten seconds."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise WriteQueueTimeout from None
        try:
            yield
        finally:
            self._turns.release()

    async def write(self, work: Callable[[Session], T]) -> T:
        """Performs `work` in one transaction, in a thread; returns after the commit."""
        async with self.slot():
            return await self.write_in_slot(work)

    async def write_in_slot(self, work: Callable[[Session], T]) -> T:
        """The same for a caller that has its turn already."""
        return await self._loop.run_in_executor(self._threads, partial(self._commit, work))

    def write_from_thread(self, work: Callable[[Session], T]) -> T:
        """The same for a caller that is in a thread itself."""
        return asyncio.run_coroutine_threadsafe(self.write(work), self._loop).result()

    def _commit(self, work: Callable[[Session], T]) -> T:
        with writing(self._engine) as session:
            return work(session)

    def close(self) -> None:
        self._threads.shutdown(wait=False)


class BatchWriter(Generic[Item, Outcome]):
    """Writes all items that wait in one transaction: a commit takes as long for one as for many.

    `perform` returns an outcome for each item; what it or the commit raises comes to each caller.
    """

    def __init__(
        self,
        perform: Callable[[Session, Sequence[Item]], Sequence[Outcome]],
        *,
        queue: WriteQueue,
    ) -> None:
        self._perform = perform
        self._queue = queue
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._driver: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._driver is None:
            self._driver = asyncio.create_task(self._drive())
        return await future

    def _perform_with(self, items: Sequence[Item], session: Session) -> Sequence[Outcome]:
        return self._perform(session, items)

    async def _drive(self) -> None:
        while self._waiting:
            taken: list[tuple[Item, asyncio.Future[Outcome]]] = []
            try:
                async with self._queue.slot():
                    taken, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                    items = [item for item, _ in taken]
                    outcomes = await self._queue.write_in_slot(partial(self._perform_with, items))
            except Exception as error:
                if not taken:
                    taken, self._waiting = self._waiting, []
                for _, future in taken:
                    if not future.cancelled():
                        future.set_exception(error)
                continue
            for (_, future), outcome in zip(taken, outcomes, strict=True):
                if not future.cancelled():
                    future.set_result(outcome)
        self._driver = None
