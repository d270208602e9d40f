"""Records in the audit the first use of a staff token in a day, and refused calls."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from data.audit import record_event
from data.postgresql import NotDurable
from data.staff_tokens import record_uses
from data.write_queue import BatchWriter, WriteQueue, WriteQueueTimeout
from models.audit import NOBODY, Action, Details


@dataclass(frozen=True)
class Use:
    """A token was used."""

    token_id: str


@dataclass(frozen=True)
class Refusal:
    """A call was refused; `token_id` is `None` where the token is not known."""

    action: Action
    token_id: str | None
    details: Details


class AccessRecorder:
    """Writes uses and refusals through the write queue, all that wait with one commit."""

    def __init__(self, queue: WriteQueue) -> None:
        self._writer: BatchWriter[Use | Refusal, None] = BatchWriter(_record, queue=queue)
        self._noting: dict[str, asyncio.Task[None]] = {}

    async def record(self, refusal: Refusal) -> None:
        """Returns when the event is stored; raises as `WriteQueue.write` does."""
        await self._writer.submit(refusal)

    def note_use(self, token_id: str) -> None:
        """Notes it in the background: a call with a good token does not wait for other writers.

        A use that cannot be written now is written at the next one.
        """
        if token_id not in self._noting:
            self._noting[token_id] = asyncio.create_task(self._note(token_id))

    async def finish(self) -> None:
        await asyncio.gather(*self._noting.values())

    async def _note(self, token_id: str) -> None:
        try:
            with suppress(DBAPIError, PoolTimeout, NotDurable, WriteQueueTimeout):
                await self._writer.submit(Use(token_id))
        finally:
            del self._noting[token_id]


def _record(session: Session, items: Sequence[Use | Refusal]) -> list[None]:
    uses = [item.token_id for item in items if isinstance(item, Use)]
    if uses:
        record_uses(session, token_ids=uses)
    for item in items:
        if isinstance(item, Refusal):
            record_event(
                session,
                actor=item.token_id or NOBODY,
                action=item.action,
                subject=item.token_id,
                details=item.details,
            )
    return [None] * len(items)
