"""The middleware in pure ASGI, in the order in which a request passes it."""

import asyncio
import logging
import time
import traceback
import uuid
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import paths
from api.problems.catalogue import InternalError
from api.problems.document import render
from api.problems.http_problems import ContentTooLarge

log = logging.getLogger("clinic_api")

MAX_BODY_BYTES = 64 * 1024
# A text can have 60,000 characters, and each of them up to 12 bytes in JSON.
MAX_DOCUMENT_BYTES = 1024 * 1024
_DRAIN_SECONDS = 0.5
_ROOT = Path(__file__).resolve().parents[2]


class RequestId:
    """Gives each request a new id. An id that a client sends is ignored: it could be any text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self.app(scope, receive, send_with_id)


class AccessLog:
    """Logs one line for each request. It has the route, but never the path or the query."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not log.isEnabledFor(logging.INFO):
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        await self.app(scope, receive, send_and_record)
        log.info(
            "%s %s %d %.1f ms %s",
            scope["method"] if scope["method"] in _KNOWN_METHODS else "-",
            getattr(scope.get("route"), "path_format", "-"),
            status,
            (time.perf_counter() - begun) * 1000,
            scope["state"]["request_id"],
        )


_KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


# Browsers then use only TLS for one year (RFC 6797). Subdomains are not included, because they may
# belong to other services.
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}


class DefaultHeaders:
    """Adds header fields to every answer, unless the route has set them."""

    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_over_tls = scope.get("scheme") == "https"
        defaults = {**self.headers, **STRICT_TRANSPORT} if is_over_tls else self.headers

        async def send_with_defaults(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in defaults.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_defaults)


class UnhandledExceptions:
    """Answers exceptions without a handler with a 500 without details, and logs where they arose.

    It does not raise them again, because uvicorn would log their text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_and_record(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_record)
        except Exception as error:
            request_id = scope["state"]["request_id"]
            log.error("unhandled %s request=%s", describe_exception(error), request_id)
            if not begun:
                await render(InternalError(), request_id=request_id)(scope, receive, send)


def describe_exception(error: BaseException) -> str:
    """The type of an exception and its last six frames.

    Without its text, which may contain what a person typed.
    """
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    lines = (f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__module__}.{type(error).__qualname__} at {' > '.join(lines)}"


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name


class BodyLimit:
    """Reads the whole body before it calls the application. Refuses a body that is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        if declared == "0" and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        limit = _body_limit(scope["path"])
        if not declared.isdecimal() or int(declared[:12]) > limit:
            await self._refuse(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                await self._refuse(scope, receive, send)
                return
        await self.app(scope, _replay(bytes(body), receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = render(ContentTooLarge(), request_id=scope["state"]["request_id"])
        response.headers["Connection"] = "close"
        start = {"type": "http.response.start", "status": response.status_code}
        await send({**start, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        # Reads for a while what the client still sends. Closing a connection with unread bytes
        # resets it, and the client would lose the answer.
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while (await receive()).get("more_body"):
                    pass
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body_limit(path: str) -> int:
    is_document = path.startswith(f"{paths.DOCUMENTS}/") or path == paths.DOCUMENTS
    return MAX_DOCUMENT_BYTES if is_document else MAX_BODY_BYTES


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that first returns the body that was already read."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
