"""The HTTP/1.1 connection of a client (RFC 9112): limits, and corrections of uvicorn's protocol.

uvicorn's own protocol has no deadline for a request, and no limit for its head.
"""

import re
import sys
import uuid
from asyncio import BaseTransport, Protocol
from functools import partial
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import get_remote_addr

from api.http.deadlines import TimedConnection
from api.http.heads import (
    FIELDS,
    FIELDS_BYTES,
    TARGET_BYTES,
    are_fields_too_large,
    find_head_fault,
)
from api.http.middleware import DefaultHeaders
from api.http.open_connections import OpenConnections
from api.problems.catalogue import Problem
from api.problems.document import render
from api.problems.http_problems import BadRequest, HeaderFieldsTooLarge, URITooLong

_METHOD = re.compile(rb"^(?:\r\n)*[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}(?= [^ ])")
# A method that the parser accepts and no route has.
_UNUSED_METHOD = b"TRACE"
# The parser's messages for an unknown method, and for a method of RTSP.
_METHOD_ERRORS = (
    "Invalid method encountered",
    "Expected space after method",
    "Invalid method for HTTP/x.x request",
)

# For a request that has been sent, but not read, when the service stops.
_LAST_READ_SECONDS = 0.1


class _Refused(Exception):
    """Stops the parser. uvicorn then calls `send_400_response`, which sends `_problem`."""


class Connection(TimedConnection):
    """uvicorn's connection, with limits for the head, for the time and for one address."""

    def __init__(self, *arguments: Any, open_connections: OpenConnections, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open_connections = open_connections
        self._problem: type[Problem] = BadRequest
        # Size of the piece in which the last head or part of a body ended. Its rest may belong to
        # the next head.
        self._last_piece_bytes = 0
        # The bytes that the parser reads now, and those that it reads next.
        self._piece = self._next = b""
        self._trailers: list[tuple[bytes, bytes]] = []

    def connection_made(self, transport: BaseTransport) -> None:
        peer = get_remote_addr(transport)  # type: ignore[arg-type] # asyncio declares the base type
        if peer is not None and not self._open_connections.admit(peer[0]):
            # This object gets no more events of the refused connection.
            transport.set_protocol(Protocol())
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._open_connections.release(self.client[0])
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Ends the connection after the request that is in progress, or that has just arrived."""
        if self.cycle is None or self.cycle.response_complete:
            # Closing before a sent request is read would reset the connection of its client. uvloop
            # runs due timers before it reads, so a second timer lets it read once more.
            end = partial(self.loop.call_later, 0.001, super().shutdown)
            self.loop.call_later(_LAST_READ_SECONDS, end)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        self._next = data
        while self._next and self.parser is not None:
            self._piece, self._next = self._next, b""
            super().data_received(self._piece)
        self._piece = b""
        # The parser reports a field only when it is complete, so its size is checked here.
        if self._unread > TARGET_BYTES + FIELDS_BYTES and not self.transport.is_closing():
            in_fields = self.headers or self.headers is self._trailers
            self._refuse(HeaderFieldsTooLarge if in_fields else URITooLong)

    def on_headers_complete(self) -> None:
        if self._is_upgrade():
            return
        received = self._unread + self._last_piece_bytes
        problem = find_head_fault(self.url, self.headers, received=received, parser=self.parser)
        if problem is not None:
            self._problem = problem
            raise _Refused
        self._unread = 0
        self._last_piece_bytes = len(self._piece)
        previous = self.cycle
        super().on_headers_complete()
        # uvicorn would add the trailers of a chunked body to the fields of the head, which the
        # application uses. A trailer could then be a second `Host` or `Authorization`.
        self.headers = self._trailers = []
        self._continue_deadline(previous)

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        self._last_piece_bytes = len(self._piece)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """The parser calls this after each chunk; for the last chunk after the trailers."""
        if len(self.headers) > FIELDS or are_fields_too_large(self.headers):
            self._problem = HeaderFieldsTooLarge
            raise _Refused

    def send_400_response(self, msg: str) -> None:
        """Answers a request that the parser refused. uvicorn calls this in its error handler."""
        if not self._has_unknown_method():
            self._refuse(self._problem)
            return
        # The application must answer 405 to a method that the parser does not know. So a new parser
        # reads the same request again with a known method that no route has.
        request = _METHOD.sub(_UNUSED_METHOD, self._piece, count=1)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        super().data_received(request)

    def _has_unknown_method(self) -> bool:
        """Whether the parser failed only at the method of the first request in this piece.

        The piece must begin with a request. Otherwise the client would get one answer too many.
        """
        is_alone = self.cycle is None or self.cycle.response_complete
        return (
            is_alone
            and self._unread == len(self._piece)
            and str(sys.exception()) in _METHOD_ERRORS
            and _METHOD.match(self._piece) is not None
        )

    def _refuse(self, problem: type[Problem]) -> None:
        cycle = self.cycle
        in_body = cycle is not None and cycle.more_body
        if cycle is not None and not (cycle.response_complete or in_body or self.pipeline):
            # The previous request still gets its answer, and then the connection closes.
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self.pipeline and not (in_body and cycle.response_started):
            self.transport.write(_message(problem))
        self.transport.close()

    def on_message_complete(self) -> None:
        if not self._is_upgrade():
            super().on_message_complete()

    def _is_upgrade(self) -> bool:
        # `should_upgrade` is also true for CONNECT, which has no `Upgrade` field and no body.
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        """Ignores `Upgrade` and answers in HTTP/1.1 (RFC 9110, section 7.8).

        After such a head, the parser treats the body as data of the other protocol. So the head is
        parsed again without the field `Upgrade`.
        """
        upgrade = sys.exception()
        if isinstance(upgrade, HttpParserUpgrade) and self._is_upgrade():
            [end_of_head] = upgrade.args
            self._next = self._head_without_upgrade() + self._piece[end_of_head:]
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # uvicorn's setting

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])


def _message(problem: type[Problem]) -> bytes:
    request_id = str(uuid.uuid4())
    answer = render(problem(), request_id=request_id)
    answer.headers.update(
        {**DefaultHeaders.headers, "X-Request-ID": request_id, "Connection": "close"}
    )
    fields = [b"%b: %b\r\n" % field for field in answer.raw_headers]
    return b"".join([STATUS_LINE[answer.status_code], *fields, b"\r\n", answer.body])
