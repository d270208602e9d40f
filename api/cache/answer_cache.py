"""Stores the answers of public reads until the published content changes."""

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
from data.documents.content_version import changes, find_content_version
from data.documents.next_change import find_next_change
from data.documents.published import NotLoaded, find_locale

log = logging.getLogger("clinic_api")

MAX_ENTRIES = 1024
MAX_BYTES = 32 * 1024 * 1024
_CHECK_EVERY_SECONDS = 0.5
_NEVER = float("inf")

# Path, query string and representation.
Key = tuple[str, bytes, Representation]


class AnswerCache:
    """The stored answers of one process.

    They are valid until a transaction changes the content, or the next scheduled change takes
    effect. When the cache is full, it removes the answers that were not used for the longest time.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._size = 0
        self._refresh_lock = asyncio.Lock()
        self._version: int | None = None
        # The value of `changes.count` when the version was read.
        self._changes = -1
        # Time of the next scheduled change, in seconds since 1970.
        self._until = 0.0
        # Raised when all answers are dropped. An answer is stored only in the epoch in which its
        # route began, so that no older answer is stored after a change.
        self.epoch = 0
        # By media type, in the clinic's language.
        self.representations = representations("")
        self.default_representation = self.representations[JSON]

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def is_current(self) -> bool:
        """Whether no change of this process and no scheduled change has made the answers stale."""
        return self._changes == changes.count and time.time() < self._until

    def get(self, key: Key) -> Answer | None:
        # The condition of `is_current`, without its call: this runs for every read.
        if self._changes != changes.count or time.time() >= self._until:
            return None
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Key, answer: Answer, *, epoch: int) -> None:
        """Stores an answer, unless the cache was dropped since `epoch`."""
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
        """Drops all answers if the content changed. Raises the database's exceptions.

        Without `again`, it asks the database only if the answers are stale.
        """
        async with self._refresh_lock:
            if self.is_current and not again:
                return
            known = None if time.time() >= self._until else self._version
            seen = changes.count
            version, content = await run_in_threadpool(_read, engine, known)
            if content is not None:
                self._until = content.until
                self.representations = representations(content.locale)
                self.default_representation = self.representations[JSON]
            if content is not None or seen != self._changes:
                self.drop()
            self._version, self._changes = version, seen

    async def keep_current(self, engine: Engine, stopped: asyncio.Event) -> None:
        """Checks twice a second whether another process has changed the content.

        While the database fails, the stored answers are still served.
        """
        is_failing = False
        while not stopped.is_set():
            try:
                await self.refresh(engine, again=True)
                is_failing = False
            except Exception as error:
                if not is_failing:
                    log.error("cannot check for changes: %s", type(error).__name__)
                is_failing = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), _CHECK_EVERY_SECONDS)


class _Content(NamedTuple):
    """The values on which all answers of one content version depend."""

    # Time of the next scheduled change, in seconds since 1970.
    until: float
    locale: str


def _read(engine: Engine, known: int | None) -> tuple[int, _Content | None]:
    """The content version, and its `_Content` unless it is the known version."""
    with reading(engine) as session:
        version = find_content_version(session)
        if version == known:
            return version, None
        next_change = find_next_change(session)
        until = next_change.timestamp() if next_change else _NEVER
        try:
            locale = find_locale(session)
        except NotLoaded:
            locale = ""
        return version, _Content(until, locale)
