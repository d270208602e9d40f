"""The answers that a process keeps, and for how long they are true."""

import asyncio
import logging
import time
from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api.cache.negotiation import JSON, Representation, representations
from api.cache.prepared import Answer
from data.database import reading
from data.documents.clinic import find_locale
from data.documents.publications import changes, find_content_version, find_next_change

log = logging.getLogger("clinic_api")

MAX_ENTRIES = 1024
MAX_BYTES = 32 * 1024 * 1024
_CHECK_EVERY_SECONDS = 0.5
_NEVER = float("inf")

# Path, query string and representation.
Key = tuple[str, bytes, Representation]


class Kept:
    """The answers of this process, for as long as they are true."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._size = 0
        self._looking = asyncio.Lock()
        self._version: int | None = None
        self._changes = -1
        self._until = 0.0
        # Raised whenever what was kept is dropped, so that nothing older is put back.
        self.epoch = 0
        # By media type, in the clinic's language. `json` is the one that most requests want.
        self.representations = representations("")
        self.json = self.representations[JSON]

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def is_current(self) -> bool:
        return self._changes == changes.count and time.time() < self._until

    def get(self, key: Key) -> Answer | None:
        # What `is_current` says, in line: this is on the way of every read.
        if self._changes != changes.count or time.time() >= self._until:
            return None
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Key, answer: Answer, *, epoch: int) -> None:
        if epoch != self.epoch or not self.is_current or answer.size > MAX_BYTES:
            return
        replaced = self._answers.pop(key, None)
        self._size += answer.size - (replaced.size if replaced else 0)
        self._answers[key] = answer
        while len(self._answers) > MAX_ENTRIES or self._size > MAX_BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._size -= oldest.size

    def drop(self) -> None:
        self._answers.clear()
        self._size = 0
        self.epoch += 1

    async def refresh(self, engine: Engine, *, again: bool = False) -> None:
        """Drops everything if something was published or has come due; raises if it can't tell."""
        async with self._looking:
            if self.is_current and not again:
                return
            known = None if time.time() >= self._until else self._version
            seen = changes.count
            version, content = await run_in_threadpool(_read, engine, known)
            if content is not None:
                self._until = content.until
                self.representations = representations(content.locale)
                self.json = self.representations[JSON]
            if content is not None or seen != self._changes:
                self.drop()
            self._version, self._changes = version, seen

    async def follow(self, engine: Engine, stopped: asyncio.Event) -> None:
        """Notices what other processes publish."""
        is_away = False
        while not stopped.is_set():
            try:
                await self.refresh(engine, again=True)
                is_away = False
            except Exception as error:
                # What is kept goes on being served.
                if not is_away:
                    log.error("cannot look for changes: %s", type(error).__name__)
                is_away = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), _CHECK_EVERY_SECONDS)


class _Content(NamedTuple):
    """What holds for all answers of one version of the content."""

    # Seconds since 1970: the next change that takes effect by the clock.
    until: float
    locale: str


def _read(engine: Engine, known: int | None) -> tuple[int, _Content | None]:
    """The content's version and, where it isn't the known one, what holds for it."""
    with reading(engine) as session:
        version = find_content_version(session)
        if version == known:
            return version, None
        next_change = find_next_change(session)
        until = next_change.timestamp() if next_change else _NEVER
        return version, _Content(until, find_locale(session))
