"""Records when staff tokens are used, and which calls are refused.

Each use sets the time in the token's row. The audit gets the first use in a day, and refused calls.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from data.audit.events import record_event
from data.postgresql import NotDurable
from data.staff_tokens import record_uses
from data.write_queue import BatchWriter, WriteQueue, WriteQueueTimeout
from models.audit import NOBODY, Action, Details


@dataclass(frozen=True)
class TokenUse:
    """A valid token was used."""

    token_id: str


@dataclass(frozen=True)
class RefusedCall:
    """A call was refused. `token_id` is `None` for an unknown token."""

    action: Action
    token_id: str | None
    details: Details


class AccessRecorder:
    """Writes through the queue of writers; all records that wait are written with one commit."""

    def __init__(self, queue: WriteQueue) -> None:
        self._writer: BatchWriter[TokenUse | RefusedCall, None] = BatchWriter(_record, queue=queue)
        self._pending: dict[str, asyncio.Task[None]] = {}

    async def record(self, refusal: RefusedCall) -> None:
        """Returns after the commit of the event. Raises the exceptions of `WriteQueue.write`."""
        await self._writer.submit(refusal)

    def record_use_soon(self, token_id: str) -> None:
        """Records the use in the background, so that the call does not wait for other writers.

        This is best effort: if the database cannot be written now, the next use is recorded.
        """
        if token_id not in self._pending:
            self._pending[token_id] = asyncio.create_task(self._record_use(token_id))

    async def finish(self) -> None:
        """Waits for the records that are written in the background."""
        await asyncio.gather(*self._pending.values())

    async def _record_use(self, token_id: str) -> None:
        try:
            with suppress(DBAPIError, PoolTimeout, NotDurable, WriteQueueTimeout):
                await self._writer.submit(TokenUse(token_id))
        finally:
            del self._pending[token_id]


def _record(session: Session, items: Sequence[TokenUse | RefusedCall]) -> list[None]:
    uses = [item.token_id for item in items if isinstance(item, TokenUse)]
    if uses:
        record_uses(session, token_ids=uses)
    for item in items:
        if isinstance(item, RefusedCall):
            record_event(
                session,
                actor=item.token_id or NOBODY,
                action=item.action,
                subject=item.token_id,
                details=item.details,
            )
    return [None] * len(items)
