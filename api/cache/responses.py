"""Answers public reads from the response cache, before any middleware and any route.

A hit is one search in a dictionary, and sends two prepared messages. Only answers of `PublicRoute`
are stored, and only for a query string in its canonical spelling.
"""

import asyncio
import re
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from api.cache.answer_cache import AnswerCache, Key
from api.cache.negotiation import (
    join_fields,
    matches,
    preferred_encoding,
    preferred_media_type,
)
from api.cache.policy import CACHEABLE
from api.cache.prepared import Answer, Headers
from api.http.middleware import STRICT_TRANSPORT

_CANONICAL_VALUE = re.compile("[a-z1-9A-Z_-][a-zA-Z0-9_-]*")
_STRICT_TRANSPORT = [(n.lower().encode(), v.encode()) for n, v in STRICT_TRANSPORT.items()]
_EMPTY: Message = {"type": "http.response.body", "body": b""}


@lru_cache(maxsize=1024)
def is_canonical(query: bytes) -> bool:
    """Whether the query has its canonical spelling.

    Then its parameters are sorted by name, and nothing is escaped, empty or begins with a zero. So
    a client cannot fill the cache with many spellings of one query.
    """
    text = query.decode("latin-1")
    parameters = parse_qsl(text, keep_blank_values=True)
    return (
        len(query) <= 256
        and text == urlencode(sorted(parameters))
        and all(_CANONICAL_VALUE.fullmatch(value) for _, value in parameters)
    )


class CachedAPI(FastAPI):
    """An application that answers GET and HEAD from the cache if it can.

    It is not a middleware, because FastAPI and Starlette wrap five layers around the first one.
    """

    @cached_property
    def answer_cache(self) -> AnswerCache:
        return AnswerCache()

    @cached_property
    def _running(self) -> dict[tuple[Key, int], asyncio.Future[Answer | None]]:
        """The answers that a route is making now, by key and epoch of the cache."""
        return {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await super().__call__(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            headers = join_fields(scope["headers"])
        cache = self.answer_cache
        representation = cache.default_representation
        if b"accept" in headers:
            representation = cache.representations[preferred_media_type(headers[b"accept"])]
        key = (scope["path"], scope["query_string"], representation)
        answer = cache.get(key)
        own: Headers = []
        if answer is None:
            answer, own = await self._answer_miss(key, scope, receive, send)
            if answer is None:
                return
        # Not a function of its own: its call would take as long as all of this.
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

    async def _answer_miss(
        self, key: Key, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Answer | None, Headers]:
        """Runs the route once for equal requests that arrive together; the others wait for it.

        Returns the same as `_run_route`.
        """
        cache = self.answer_cache
        if not cache.is_current:
            await self._refresh_cache()
            # The refresh may have read another language of the clinic.
            key = (*key[:2], cache.representations[key[2].media_type])
            if stored := cache.get(key):
                return stored, []
        if not cache.is_current or not is_canonical(key[1]):
            return await self._run_route(key, scope, receive, send)
        # With the epoch, so that a request after a change never gets an answer from before it.
        run = (key, cache.epoch)
        if run in self._running and (shared := await self._running[run]):
            return shared, []
        if run in self._running:
            return await self._run_route(key, scope, receive, send)
        answer: Answer | None = None
        future = self._running[run] = asyncio.get_running_loop().create_future()
        try:
            answer, own = await self._run_route(key, scope, receive, send)
        finally:
            del self._running[run]
            future.set_result(answer)
        return answer, own

    async def _run_route(
        self, key: Key, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Answer | None, Headers]:
        """Runs the route, and stores its answer if it is cacheable.

        Returns the answer, and the header fields for this request alone. For an answer that is not
        cacheable, returns `None`: it was already sent.
        """
        epoch = self.answer_cache.epoch
        capture = _Capture(scope, send)
        await super().__call__({**scope, "method": "GET"}, receive, capture)
        if not capture.headers:
            return None, []
        is_stored = is_canonical(key[1])
        # An answer that is sent only once is not compressed.
        answer = await run_in_threadpool(
            Answer.of, capture.headers, capture.body, compress=is_stored
        )
        if is_stored:
            self.answer_cache.put(key, answer, epoch=epoch)
        return answer, [header for header in capture.headers if header[0] == b"x-request-id"]

    async def _refresh_cache(self) -> None:
        try:
            await self.answer_cache.refresh(self.state.runtime.engine)
        except Exception:
            # The route uses the same database, and reports its fault.
            return


class _Capture:
    """A `send` that collects a cacheable answer, and sends every other answer at once."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.state = scope.setdefault("state", {})
        self.is_head = scope["method"] == "HEAD"
        self.send = send
        self.headers: Headers = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.state.get(CACHEABLE):
            self.headers = list(message["headers"])
        elif self.headers:
            self.body += message.get("body", b"")
        elif self.is_head and message["type"] == "http.response.body":
            # HEAD is GET without the body (RFC 9110, section 9.3.2).
            await self.send({**message, "body": b""})
        else:
            await self.send(message)
