"""How long a request may take to arrive, and a part of an answer to be taken by the client."""

from asyncio import AbstractEventLoop, BaseTransport
from typing import Any, ClassVar

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.problems.catalogue import Problem
from api.problems.protocol import RequestTimeout

# For a request to arrive, and for a part of an answer to be taken.
SECONDS = 10.0
_CHECK_EVERY_SECONDS = 1.0


class TimedConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends what takes too long.

    A request costs next to nothing more: one callback checks all connections once a second.
    """

    _is_watched: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Bytes that came after the last head or part of a body that was read.
        self._unread = 0
        # What is arriving, and what is leaving, with the time that it was first seen.
        self._arriving: tuple[object, float] | None = None
        self._leaving_since: float | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type] # as asyncio has it
        if not TimedConnection._is_watched:
            TimedConnection._is_watched = True
            self.loop.call_later(_CHECK_EVERY_SECONDS, _check_all, self.connections, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._notify_disconnect()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _notify_disconnect(self) -> None:
        # Where several requests were sent at once, uvicorn notifies the last one only.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def _refuse(self, problem: type[Problem]) -> None:
        """Answers with a problem where an answer is possible, and closes the connection."""
        raise NotImplementedError

    def _give_body_the_rest(self, cycle_before: RequestResponseCycle | None) -> None:
        """Gives the body of a request the time that its head has left."""
        if self._arriving is not None and self._arriving[0] == (cycle_before, True):
            self._arriving = ((self.cycle, False), self._arriving[1])

    def check_deadlines(self, now: float) -> None:
        """Ends what has taken too long."""
        if not self.transport.get_write_buffer_size():
            self._leaving_since = None
        elif self._leaving_since is None:
            self._leaving_since = now
        elif now - self._leaving_since > SECONDS:
            self._notify_disconnect()
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
        # The client takes its answer, if slowly.
        self._leaving_since = None
        super().resume_writing()


def _check_all(connections: set[Any], loop: AbstractEventLoop) -> None:
    TimedConnection._is_watched = bool(connections)
    if connections:
        loop.call_later(_CHECK_EVERY_SECONDS, _check_all, connections, loop)
    for connection in tuple(connections):
        connection.check_deadlines(loop.time())
