"""The outermost layer: a public read that was answered before is answered without a route.

A hit is one look into a dictionary and two prepared messages. Only routes that opt in are kept
(`PublicRoute`), and only under a query string in its one canonical spelling.
"""

import asyncio
import re
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from api.cache.kept import Kept, Key
from api.cache.negotiation import (
    joined,
    matches,
    preferred_encoding,
    preferred_media_type,
)
from api.cache.prepared import Answer, Headers
from api.http.middleware import STRICT_TRANSPORT

_CANONICAL_VALUE = re.compile("[a-z1-9A-Z_-][a-zA-Z0-9_-]*")
_STRICT_TRANSPORT = [(n.lower().encode(), v.encode()) for n, v in STRICT_TRANSPORT.items()]
_EMPTY: Message = {"type": "http.response.body", "body": b""}


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
