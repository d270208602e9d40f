"""For how long an ended request is kept, and how it goes."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from data.audit import record_event
from data.outbox import forget_old, forget_subjects
from data.sent_letters import forget_old_letters
from models.audit import SERVICE, Action, listed
from models.consultation_request import Consent, ConsultationRequest, RequestState
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from models.values import utc_now

# Days by final state; a state without an entry is kept until somebody erases it.
Retention = Mapping[RequestState, int]

_AT_ONCE = 500


def retention_end(state: RequestState, *, since: datetime, retention: Retention) -> datetime | None:
    days = retention.get(state)
    return since + timedelta(days=days) if days is not None else None


def erase(session: Session, *, ids: list[str]) -> None:
    """The requests and everything that hangs on them; the database overwrites what it frees."""
    forget_subjects(session, ids=ids)
    connection = session.connection()
    for table in (RequestNote, Consent, IdempotencyRecord):
        connection.execute(delete(table).where(col(table.request_id).in_(ids)))
    connection.execute(delete(ConsultationRequest).where(col(ConsultationRequest.id).in_(ids)))


def purge(session: Session, *, actor: str = SERVICE) -> int:
    """Erases requests whose time is over, and answers that were kept for a retry; how many went."""
    now = utc_now()
    due = session.exec(
        select(ConsultationRequest.id)
        .where(col(ConsultationRequest.retention_until) <= now)
        .limit(_AT_ONCE)
        # Whatever somebody is working on now can go a minute later.
        .with_for_update(skip_locked=True)
    ).all()
    if due:
        erase(session, ids=list(due))
        record_event(
            session, actor=actor, action=Action.REQUESTS_PURGED, details={"requests": listed(due)}
        )
    session.connection().execute(
        delete(IdempotencyRecord).where(col(IdempotencyRecord.expires_at) <= now)
    )
    forget_old(session)
    forget_old_letters(session)
    return len(due)
