"""The outermost layer: a public read that was answered before is answered without a route.

A hit is one look into a dictionary and two prepared messages. Only routes that opt in are kept
(`PublicRoute`), and only under a query string in its one canonical spelling.
"""

import asyncio
import base64
import gzip
import hashlib
import logging
import re
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import brotli
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.negotiation import matches, preferred_encoding, prefers_json_ld
from data.database import reading
from data.publication import changes, find_turn

log = logging.getLogger("clinic_api")

MAX_ENTRIES = 1024
MAX_BYTES = 32 * 1024 * 1024
_LOOK_EVERY_SECONDS = 0.5
_NEVER = float("inf")

# Not worth it for less; for more, the best compression takes seconds.
_COMPRESS_FROM = 256
_BEST_UP_TO = 16 * 1024

_CANONICAL_VALUE = re.compile("[a-z1-9A-Z_-][a-zA-Z0-9_-]*")
# Belongs to one request, to one encoding of the body, or to the body's absence.
_NOT_SHARED = {b"content-length", b"x-request-id"}
_OF_THE_BODY = {b"content-type", b"content-encoding", b"content-length"}
_EMPTY: Message = {"type": "http.response.body", "body": b""}

Key = tuple[str, bytes, bool]
Headers = list[tuple[bytes, bytes]]


class Variant(NamedTuple):
    """One encoding of one answer, as the messages that are sent."""

    tag: bytes
    whole: Message
    body: Message
    not_modified: Message


@dataclass(frozen=True)
class Answer:
    """One 200, in every encoding that it is worth having in; no header of one request's own."""

    variants: dict[bytes, Variant]
    size: int

    @classmethod
    def of(cls, headers: Headers, body: bytes, *, compress: bool) -> "Answer":
        shared = [(name, value) for name, value in headers if name not in _NOT_SHARED]
        bodies = {b"identity": body, **(_compressed(body) if compress else {})}
        tag = entity_tag(body)
        variants = {
            encoding: _variant(shared, content, encoding, tag)
            for encoding, content in bodies.items()
        }
        return cls(variants, sum(map(len, bodies.values())) + 2048)


def entity_tag(content: bytes) -> str:
    """What a strong entity tag (RFC 9110, section 8.8.3) is made of: the same bytes, the same."""
    digest = hashlib.sha256(content).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _compressed(body: bytes) -> dict[bytes, bytes]:
    if len(body) < _COMPRESS_FROM:
        return {}
    best = len(body) <= _BEST_UP_TO
    made = {
        b"br": brotli.compress(body, quality=11 if best else 5),
        b"gzip": gzip.compress(body, compresslevel=9 if best else 6, mtime=0),
    }
    return {encoding: content for encoding, content in made.items() if len(content) < len(body)}


def _variant(shared: Headers, content: bytes, encoding: bytes, tag: str) -> Variant:
    is_plain = encoding == b"identity"
    quoted = f'"{tag}"' if is_plain else f'"{tag}-{encoding.decode()}"'
    headers = [
        *shared,
        *([] if is_plain else [(b"content-encoding", encoding)]),
        (b"etag", quoted.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    lasting = [(name, value) for name, value in headers if name not in _OF_THE_BODY]
    return Variant(
        tag=quoted.encode(),
        whole=start,
        body={"type": "http.response.body", "body": content},
        not_modified={**start, "status": 304, "headers": lasting},
    )


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

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def is_current(self) -> bool:
        return self._changes == changes.count and time.time() < self._until

    def get(self, key: Key) -> Answer | None:
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

    async def look(self, engine: Engine) -> None:
        """Drops everything if something was published or has come due; raises if it can't tell."""
        async with self._looking:
            seen = changes.count
            version, turn = await run_in_threadpool(_read, engine)
            if (version, seen) != (self._version, self._changes) or time.time() >= self._until:
                self.drop()
            self._version, self._changes = version, seen
            self._until = turn.timestamp() if turn else _NEVER

    async def follow(self, engine: Engine, stopped: asyncio.Event) -> None:
        """Notices what other processes publish."""
        is_away = False
        while not stopped.is_set():
            try:
                await self.look(engine)
                is_away = False
            except Exception as error:
                # What is kept goes on being served.
                if not is_away:
                    log.error("cannot look for changes: %s", type(error).__name__)
                is_away = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), _LOOK_EVERY_SECONDS)


def _read(engine: Engine) -> tuple[int, datetime | None]:
    with reading(engine) as session:
        return find_turn(session)


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


class ResponseCache:
    """Answers GET and HEAD; everything else goes through."""

    def __init__(self, app: ASGIApp, kept: Kept) -> None:
        self.app = app
        self.kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        accept_encoding = if_none_match = accept = b""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accept_encoding = value if not accept_encoding else accept_encoding + b"," + value
            elif name == b"if-none-match":
                if_none_match = value if not if_none_match else if_none_match + b"," + value
            elif name == b"accept":
                accept = value if not accept else accept + b"," + value
        key = (
            scope["path"],
            scope["query_string"],
            b"ld+json" in accept and prefers_json_ld(accept),
        )
        kept = self.kept
        answer = kept.get(key) if kept.is_current else None
        own: Headers = []
        if answer is None:
            answer, own = await self._ask(key, scope, receive, send)
            if answer is None:
                return
        # In line, because a call costs as much as all of this.
        encoding = preferred_encoding(accept_encoding) if accept_encoding else b"identity"
        variant = answer.variants.get(encoding) or answer.variants[b"identity"]
        start, body = variant.whole, variant.body
        if if_none_match and matches(if_none_match, variant.tag):
            start, body = variant.not_modified, _EMPTY
        elif scope["method"] == "HEAD":
            body = _EMPTY
        if own:
            start = {**start, "headers": start["headers"] + own}
        await send(start)
        await send(body)

    async def _ask(
        self, key: Key, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Answer | None, Headers]:
        """The route's answer, kept if it may be; `None` if it was sent on as it came."""
        if not self.kept.is_current:
            await self._catch_up(scope)
        epoch = self.kept.epoch
        capture = _Capture(scope, send)
        await self.app({**scope, "method": "GET"}, receive, capture)
        if not capture.headers:
            return None, []
        keep = is_canonical(key[1])
        # What is not kept is not worth compressing.
        answer = await run_in_threadpool(Answer.of, capture.headers, capture.body, compress=keep)
        if keep:
            self.kept.put(key, answer, epoch=epoch)
        return answer, [header for header in capture.headers if header[0] == b"x-request-id"]

    async def _catch_up(self, scope: Scope) -> None:
        try:
            await self.kept.look(scope["app"].state.engine)
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
