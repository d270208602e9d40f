"""The outermost layer: a public read that was answered before is answered without a route.

A hit is one look into a dictionary and two prepared messages. Only routes that opt in are kept
(`PublicRoute`), and only under a query string in its one canonical spelling.
"""

import asyncio
import logging
import re
import time
from collections import OrderedDict
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from api.cache.negotiation import (
    JSON,
    Representation,
    joined,
    matches,
    preferred_encoding,
    preferred_media_type,
    representations,
)
from api.cache.prepared import Answer, Headers
from api.http.middleware import STRICT_TRANSPORT
from data.database import reading
from data.documents.clinic import find_locale
from data.documents.publications import changes, find_content_version, find_next_change

log = logging.getLogger("clinic_api")

MAX_ENTRIES = 1024
MAX_BYTES = 32 * 1024 * 1024
_CHECK_EVERY_SECONDS = 0.5
_NEVER = float("inf")

_CANONICAL_VALUE = re.compile("[a-z1-9A-Z_-][a-zA-Z0-9_-]*")
_STRICT_TRANSPORT = [(n.lower().encode(), v.encode()) for n, v in STRICT_TRANSPORT.items()]
_EMPTY: Message = {"type": "http.response.body", "body": b""}

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


@lru_cache(maxsize=1024)
def is_canonical(query: bytes) -> bool:
    """Whether this is the one way to write these parameters: in order, plain, without a zero."""
    text = query.decode("latin-1")
    parameters = parse_qsl(text, keep_blank_values=True)
    return (
        len(query) <= 256
        and text == urlencode(sorted(parameters))
        and all(_CANONICAL_VALUE.fullmatch(value) for _, value in parameters)
    )


class CachedAPI(FastAPI):
    """An application that answers GET and HEAD itself where it can.

    Not a middleware: FastAPI and Starlette put five layers of their own around the first of those.
    """

    @cached_property
    def kept(self) -> Kept:
        return Kept()

    @cached_property
    def _asked(self) -> dict[tuple[Key, int], asyncio.Future[Answer | None]]:
        return {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await super().__call__(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            headers = joined(scope["headers"])
        kept = self.kept
        representation = kept.json
        if b"accept" in headers:
            representation = kept.representations[preferred_media_type(headers[b"accept"])]
        key = (scope["path"], scope["query_string"], representation)
        answer = kept.get(key)
        own: Headers = []
        if answer is None:
            answer, own = await self._ask_once(key, scope, receive, send)
            if answer is None:
                return
        # In line, because a call costs as much as all of this.
        variant = answer.plain
        if b"accept-encoding" in headers:
            encoding = preferred_encoding(headers[b"accept-encoding"])
            variant = answer.encoded.get(encoding, variant)
        start, body = variant.start, variant.body
        if b"if-none-match" in headers and matches(headers[b"if-none-match"], variant.tag):
            start, body = variant.not_modified, _EMPTY
        elif scope["method"] == "HEAD":
            body = _EMPTY
        if scope.get("scheme") == "https":
            own = own + _STRICT_TRANSPORT
        if own:
            start = {**start, "headers": start["headers"] + own}
        await send(start)
        await send(body)

    async def _ask_once(
        self, key: Key, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Answer | None, Headers]:
        """Many who want the same thing at once, as after each change, wait for one route."""
        if not self.kept.is_current:
            await self._catch_up()
            # The clinic's language may be another one now, and is not known before the first look.
            key = (*key[:2], self.kept.representations[key[2].media_type])
            if kept := self.kept.get(key):
                return kept, []
        if not self.kept.is_current or not is_canonical(key[1]):
            return await self._ask(key, scope, receive, send)
        # Who comes after a change must not be given what was read before it.
        flight = (key, self.kept.epoch)
        if flight in self._asked and (shared := await self._asked[flight]):
            return shared, []
        if flight in self._asked:
            return await self._ask(key, scope, receive, send)
        answer: Answer | None = None
        asked = self._asked[flight] = asyncio.get_running_loop().create_future()
        try:
            answer, own = await self._ask(key, scope, receive, send)
        finally:
            del self._asked[flight]
            asked.set_result(answer)
        return answer, own

    async def _ask(
        self, key: Key, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Answer | None, Headers]:
        """The route's answer, kept if it may be; `None` if it was sent on as it came."""
        epoch = self.kept.epoch
        capture = _Capture(scope, send)
        await super().__call__({**scope, "method": "GET"}, receive, capture)
        if not capture.headers:
            return None, []
        keep = is_canonical(key[1])
        # What is not kept is not worth compressing.
        answer = await run_in_threadpool(Answer.of, capture.headers, capture.body, compress=keep)
        if keep:
            self.kept.put(key, answer, epoch=epoch)
        return answer, [header for header in capture.headers if header[0] == b"x-request-id"]

    async def _catch_up(self) -> None:
        try:
            await self.kept.refresh(self.state.runtime.engine)
        except Exception:
            # The route will find out by itself, and say so.
            return


class _Capture:
    """Holds back what a route gives to everybody, and lets through everything else."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.state = scope.setdefault("state", {})
        self.is_head = scope["method"] == "HEAD"
        self.send = send
        self.headers: Headers = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.state.get("keep"):
            self.headers = list(message["headers"])
        elif self.headers:
            self.body += message.get("body", b"")
        elif self.is_head and message["type"] == "http.response.body":
            # HEAD is GET without the body (RFC 9110, section 9.3.2).
            await self.send({**message, "body": b""})
        else:
            await self.send(message)
