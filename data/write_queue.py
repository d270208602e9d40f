"""Limits concurrent writers of one database; the rest wait in a queue and use no thread."""

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
_BATCH_SIZE = 64


class WriteQueueTimeout(Exception):
    """A writer waited too long for a slot."""


class WriteQueue:
    """All writes of a running service pass through this queue."""

    def __init__(self, engine: Engine) -> None:
        writers = count_writers(engine)
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(writers)
        # Separate threads: in the shared pool, a write could wait behind a slow mail server.
        self._threads = ThreadPoolExecutor(writers, thread_name_prefix="write")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot, and frees it at the end. Raises `WriteQueueTimeout` after 10 s."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise WriteQueueTimeout from None
        try:
            yield
        finally:
            self._slots.release()

    async def write(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in one transaction, in a thread, and returns its result after the commit.

        Raises `WriteQueueTimeout`, and what `work` or the commit raises.
        """
        async with self.slot():
            return await self.write_in_slot(work)

    async def write_in_slot(self, work: Callable[[Session], T]) -> T:
        """The same for a caller that already has a slot."""
        return await self._loop.run_in_executor(self._threads, partial(self._commit, work))

    def write_from_thread(self, work: Callable[[Session], T]) -> T:
        """The same for a caller in another thread; blocks this thread."""
        return asyncio.run_coroutine_threadsafe(self.write(work), self._loop).result()

    def _commit(self, work: Callable[[Session], T]) -> T:
        with writing(self._engine) as session:
            return work(session)

    def close(self) -> None:
        self._threads.shutdown(wait=False)


class BatchWriter(Generic[Item, Outcome]):
    """Writes all waiting items in one transaction: a commit takes as long for many as for one.

    `perform` returns an outcome for each item. An exception from it or from the commit is raised
    for every item of the transaction.
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
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Outcome:
        """Writes the item together with others, and returns its outcome after the commit."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_batches())
        return await future

    def _perform_with(self, items: Sequence[Item], session: Session) -> Sequence[Outcome]:
        return self._perform(session, items)

    async def _write_batches(self) -> None:
        while self._waiting:
            batch: list[tuple[Item, asyncio.Future[Outcome]]] = []
            try:
                async with self._queue.slot():
                    batch = self._waiting[:_BATCH_SIZE]
                    self._waiting = self._waiting[_BATCH_SIZE:]
                    items = [item for item, _ in batch]
                    outcomes = await self._queue.write_in_slot(partial(self._perform_with, items))
            except Exception as error:
                # Without a slot there is no batch yet: all waiting items fail.
                if not batch:
                    batch, self._waiting = self._waiting, []
                for _, future in batch:
                    if not future.cancelled():
                        future.set_exception(error)
                continue
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.cancelled():
                    future.set_result(outcome)
        self._task = None
