"""One connection of a client: what it is refused, and what uvicorn would read wrongly (RFC 9112).

uvicorn's own protocol waits for ever, and takes a head of any size.
"""

import re
import sys
import uuid
from asyncio import BaseTransport, Protocol
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
    fault_of_head,
)
from api.http.middleware import DefaultHeaders
from api.http.open_connections import OpenConnections
from api.problems.catalogue import Problem
from api.problems.document import render
from api.problems.protocol import BadRequest, HeaderFieldsTooLarge, URITooLong

_METHOD = re.compile(rb"^(?:\r\n)*[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}(?= [^ ])")
# The parser knows it, and no path has it.
_UNUSED_METHOD = b"TRACE"
# The parser's messages for an unknown method, and for a method of RTSP.
_METHOD_ERRORS = (
    "Invalid method encountered",
    "Expected space after method",
    "Invalid method for HTTP/x.x request",
)


class _Refused(Exception):
    pass


class Connection(TimedConnection):
    """uvicorn's connection, with bounds on the head and on the time that a request takes."""

    def __init__(self, *arguments: Any, open_connections: OpenConnections, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open_connections = open_connections
        self._problem: type[Problem] = BadRequest
        # Bytes of the piece in which the last head or part of a body ended: some may be unread too.
        self._perhaps_unread = 0
        # The bytes that are given to the parser, and those that it is given next.
        self._piece = self._next = b""
        self._trailers: list[tuple[bytes, bytes]] = []

    def connection_made(self, transport: BaseTransport) -> None:
        peer = get_remote_addr(transport)  # type: ignore[arg-type] # as asyncio has it
        if peer is not None and not self._open_connections.admit(peer[0]):
            # From here on nothing of it reaches this object.
            transport.set_protocol(Protocol())
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._open_connections.release(self.client[0])
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        self._next = data
        while self._next and self.parser is not None:
            self._piece, self._next = self._next, b""
            super().data_received(self._piece)
        self._piece = b""
        # The parser reports a field at its end only.
        if self._unread > TARGET_BYTES + FIELDS_BYTES and not self.transport.is_closing():
            in_fields = self.headers or self.headers is self._trailers
            self._refuse(HeaderFieldsTooLarge if in_fields else URITooLong)

    def on_headers_complete(self) -> None:
        if self._offers_another_protocol():
            return
        received = self._unread + self._perhaps_unread
        problem = fault_of_head(self.url, self.headers, received=received, parser=self.parser)
        if problem is not None:
            self._problem = problem
            raise _Refused
        self._unread = 0
        self._perhaps_unread = len(self._piece)
        head_after = self.cycle
        super().on_headers_complete()
        # uvicorn adds the trailers of a chunked body to the fields of the head, which the
        # application has: they could be a second `Host` or another `Authorization`.
        self.headers = self._trailers = []
        self._give_body_the_rest(head_after)

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        self._perhaps_unread = len(self._piece)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """After each chunk; after the last one, and its trailers, too."""
        if len(self.headers) > FIELDS or are_fields_too_large(self.headers):
            self._problem = HeaderFieldsTooLarge
            raise _Refused

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this inside its handler of the parser's error, for any such error."""
        if not self._has_unknown_method():
            self._refuse(self._problem)
            return
        # The application answers it like any method that no path has. Everything but the method is
        # read and checked as always, by a parser that has not failed.
        request = _METHOD.sub(_UNUSED_METHOD, self._piece, count=1)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        super().data_received(request)

    def _has_unknown_method(self) -> bool:
        """Whether the parser failed at the first request of this piece, and at its method alone.

        Where the piece is not the beginning of a request, an answer would be one too many.
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
            # The request before this one gets its answer; it is the last one.
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self.pipeline and not (in_body and cycle.response_started):
            self.transport.write(_message(problem))
        self.transport.close()

    def on_message_complete(self) -> None:
        if not self._offers_another_protocol():
            super().on_message_complete()

    def _offers_another_protocol(self) -> bool:
        # The parser says so of CONNECT too, which has no offer and no body.
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        """Answers an offer of another protocol in this one (RFC 9110, 7.8).

        The parser takes no body for such a request, and what follows for the other protocol. So
        the head is parsed again without the offer, and the body then is a body.
        """
        upgrade = sys.exception()
        if isinstance(upgrade, HttpParserUpgrade) and self._offers_another_protocol():
            [end_of_head] = upgrade.args
            self._next = self._head_without_offer() + self._piece[end_of_head:]
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

    def _head_without_offer(self) -> bytes:
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
