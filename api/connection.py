"""What one connection may ask of the service: how large a head, and how long for it (RFC 9112).

uvicorn's own protocol waits for ever, and takes a head of any size.
"""

import re
import sys
import uuid
from asyncio import AbstractEventLoop, BaseTransport
from functools import lru_cache
from typing import Any, ClassVar

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from api.middleware import DefaultHeaders
from api.problem_details import render
from api.problems import BadRequest, HeaderFieldsTooLarge, Problem, RequestTimeout, URITooLong

TARGET_BYTES = 8 * 1024
FIELDS_BYTES = 16 * 1024
FIELDS = 100
# For a request to arrive, and for a part of an answer to be taken.
SECONDS = 10.0
_LOOK_EVERY_SECONDS = 1.0


class _Refused(Exception):
    pass


@lru_cache(maxsize=128)
def _is_host(value: bytes) -> bool:
    return re.fullmatch(rb"[A-Za-z0-9._~%:\[\]-]*", value) is not None


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with bounds.

    What is asked for each request is next to nothing; how long it takes is looked at from outside.
    """

    _is_watched: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._problem: type[Problem] = BadRequest
        # What is given to the parser, and what it is given next.
        self._parsed = self._to_parse = b""
        # Bytes since the last head that ended, or the last part of a body.
        self._unread = 0
        # What is arriving, and what is leaving, with the time that it was first seen.
        self._arriving: tuple[object, float] | None = None
        self._leaving_since: float | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type] # as asyncio has it
        if not Connection._is_watched:
            Connection._is_watched = True
            self.loop.call_later(_LOOK_EVERY_SECONDS, _look, self.connections, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell_it_is_gone()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _tell_it_is_gone(self) -> None:
        # Where several were sent at once, uvicorn tells the last one only.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        self._to_parse = data
        while self._to_parse and self.parser is not None:
            self._parsed, self._to_parse = self._to_parse, b""
            super().data_received(self._parsed)
        self._parsed = b""
        # A field that does not end is not told before it does.
        if self._unread > TARGET_BYTES + FIELDS_BYTES and not self.transport.is_closing():
            self._refuse(HeaderFieldsTooLarge if self.headers else URITooLong)

    def on_headers_complete(self) -> None:
        if self._offers_another_protocol():
            return
        if problem := self._fault_of_head():
            self._problem = problem
            raise _Refused
        self._unread = 0
        head_after = self.cycle
        super().on_headers_complete()
        if self._arriving is not None and self._arriving[0] == (head_after, True):
            # Its body has what its head left of the time.
            self._arriving = ((self.cycle, False), self._arriving[1])

    def _fault_of_head(self) -> type[Problem] | None:
        if len(self.url) > TARGET_BYTES:
            return URITooLong
        if len(self.headers) > FIELDS or (
            self._unread > FIELDS_BYTES
            and sum(len(name) + len(value) + 4 for name, value in self.headers) > FIELDS_BYTES
        ):
            return HeaderFieldsTooLarge
        hosts = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
                if not _is_host(value):
                    return BadRequest
            # Nothing else can be unpacked here, so nobody else may take it for something else.
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                return BadRequest
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            return BadRequest
        return None

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for every request that cannot be read."""
        self._refuse(self._problem)

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
            self._to_parse = self._head_without_offer() + self._parsed[end_of_head:]
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def look(self, now: float) -> None:
        """Ends what has taken too long."""
        if not self.transport.get_write_buffer_size():
            self._leaving_since = None
        elif self._leaving_since is None:
            self._leaving_since = now
        elif now - self._leaving_since > SECONDS:
            self._tell_it_is_gone()
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        arriving = self._what_arrives()
        if arriving is None or self._arriving is None or self._arriving[0] != arriving:
            self._arriving = None if arriving is None else (arriving, now)
        elif now - self._arriving[1] > SECONDS:
            self._arriving = None
            if self._unread or self.cycle is not None:
                self._refuse(RequestTimeout)
            else:
                self.transport.close()

    def _what_arrives(self) -> object:
        """Which request is not all there, and whether it is its head: None if there is none."""
        cycle = self.cycle
        # uvicorn's own timer runs from the end of an answer to the next byte.
        head = cycle is None or (cycle.response_complete and self.timeout_keep_alive_task is None)
        return (cycle, head) if head or cycle.more_body else None

    def resume_writing(self) -> None:
        # Somebody takes it, if slowly.
        self._leaving_since = None
        super().resume_writing()


def _look(connections: set[Any], loop: AbstractEventLoop) -> None:
    Connection._is_watched = bool(connections)
    if connections:
        loop.call_later(_LOOK_EVERY_SECONDS, _look, connections, loop)
    for connection in tuple(connections):
        connection.look(loop.time())


def _message(problem: type[Problem]) -> bytes:
    request_id = str(uuid.uuid4())
    answer = render(problem(), request_id=request_id)
    answer.headers.update(
        {**DefaultHeaders.headers, "X-Request-ID": request_id, "Connection": "close"}
    )
    fields = [b"%b: %b\r\n" % field for field in answer.raw_headers]
    return b"".join([STATUS_LINE[answer.status_code], *fields, b"\r\n", answer.body])
