"""Deadlines of a connection: for receiving a request, and for sending an answer."""

from asyncio import AbstractEventLoop, BaseTransport
from collections.abc import Collection
from typing import Any, ClassVar

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.problems.catalogue import Problem
from api.problems.http_problems import RequestTimeout

# For receiving a whole request, and for the client to receive something of an answer.
SECONDS = 10.0
_CHECK_EVERY_SECONDS = 1.0

# The cycle of the last request whose head is complete, and whether a later head is incomplete. If
# not, the body of this request is.
_Incomplete = tuple[RequestResponseCycle | None, bool]


class TimedConnection(HttpToolsProtocol):
    """uvicorn's connection with deadlines.

    One callback checks the deadlines of all connections once a second. So there is no timer for
    each request, and a request takes hardly longer.
    """

    _is_check_scheduled: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Bytes that were received after the last complete head or part of a body.
        self._unread = 0
        # The request that is incomplete, and the time of the check that first noticed it.
        self._receiving: tuple[_Incomplete, float] | None = None
        # The time of the check that first noticed that the client does not receive its answer.
        self._blocked_since: float | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type] # asyncio declares the base type
        if not TimedConnection._is_check_scheduled:
            TimedConnection._is_check_scheduled = True
            self.loop.call_later(_CHECK_EVERY_SECONDS, _check_all, self.connections, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._notify_disconnect()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _notify_disconnect(self) -> None:
        # With pipelined requests, uvicorn notifies only the last one of the disconnect.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def _refuse(self, problem: type[Problem]) -> None:
        """Answers with a problem if an answer is still possible, and closes the connection."""
        raise NotImplementedError

    def _continue_deadline(self, cycle_before: RequestResponseCycle | None) -> None:
        """Continues the deadline of a head for its body, so that the body gets no new deadline."""
        if self._receiving is not None and self._receiving[0] == (cycle_before, True):
            self._receiving = ((self.cycle, False), self._receiving[1])

    def check_deadlines(self, now: float) -> None:
        """Closes the connection if a deadline has passed. `now` is the time of the event loop."""
        if not self.transport.get_write_buffer_size():
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now
        elif now - self._blocked_since > SECONDS:
            self._notify_disconnect()
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        incomplete = self._incomplete_request()
        if incomplete is None or self._receiving is None or self._receiving[0] != incomplete:
            self._receiving = None if incomplete is None else (incomplete, now)
        elif now - self._receiving[1] > SECONDS:
            self._receiving = None
            if self._unread or self.cycle is not None:
                self._refuse(RequestTimeout)
            else:
                self.transport.close()

    def _incomplete_request(self) -> _Incomplete | None:
        """The request that is not completely received; `None` if there is none."""
        cycle = self.cycle
        # Between an answer and the next byte, uvicorn's own keep-alive timer runs.
        in_head = cycle is None or (
            cycle.response_complete and self.timeout_keep_alive_task is None
        )
        return (cycle, in_head) if in_head or cycle.more_body else None

    def resume_writing(self) -> None:
        # The client has received a part of its answer.
        self._blocked_since = None
        super().resume_writing()


def _check_all(connections: Collection[object], loop: AbstractEventLoop) -> None:
    TimedConnection._is_check_scheduled = bool(connections)
    if connections:
        loop.call_later(_CHECK_EVERY_SECONDS, _check_all, connections, loop)
    for connection in tuple(connections):
        if isinstance(connection, TimedConnection):
            connection.check_deadlines(loop.time())
