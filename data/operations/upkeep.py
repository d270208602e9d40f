"""Periodic work: erases requests after their retention, and closes out requests after a closure."""

import asyncio
from functools import partial

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.database import reading, take_lock
from data.documents.status import CLINIC_STATE
from data.intake.close_out import close_out_where_closed, is_close_out_due
from data.intake.retention import Retention, purge
from data.outbox import old_deliveries
from data.sent_letters import old_letters
from data.write_queue import WriteQueue
from models.consultation_request import ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.values import utc_now


async def run_upkeep(engine: Engine, *, retention: Retention, queue: WriteQueue) -> None:
    """Does the work that is due now. Reads first, so that it takes no lock if nothing is due."""
    is_closing, is_purging = await asyncio.to_thread(_find_due, engine)
    if is_closing:
        await queue.write(partial(_close_out, retention=retention))
    while is_purging:
        is_purging = await queue.write(_purge) > 0


def _find_due(engine: Engine) -> tuple[bool, bool]:
    with reading(engine) as session:
        return is_close_out_due(session), _is_purge_due(session)


def _close_out(session: Session, *, retention: Retention) -> None:
    take_lock(session.connection(), CLINIC_STATE)
    close_out_where_closed(session, retention=retention)


def _purge(session: Session) -> int:
    take_lock(session.connection(), b"upkeep")
    return purge(session)


def _is_purge_due(session: Session) -> bool:
    now = utc_now()
    requests = select(ConsultationRequest.id).where(col(ConsultationRequest.retention_until) <= now)
    answers = select(IdempotencyRecord.request_id).where(col(IdempotencyRecord.expires_at) <= now)
    due = (requests, answers, old_deliveries(), old_letters())
    return any(session.exec(query.limit(1)).first() for query in due)
