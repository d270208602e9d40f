"""How long an ended request is kept, and how requests are erased."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.outbox import forget_old, forget_subjects
from data.sent_letters import forget_old_letters
from models.audit import SERVICE, Action, listed
from models.consultation_request import Consent, ConsultationRequest, RequestState
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from models.values import utc_now

# Days by final state. Requests in a state without an entry are kept until staff erases them.
Retention = Mapping[RequestState, int]

_BATCH_SIZE = 500


def retention_end(state: RequestState, *, since: datetime, retention: Retention) -> datetime | None:
    """When a request is erased that is in `state` since a time; `None` for never."""
    days = retention.get(state)
    return since + timedelta(days=days) if days is not None else None


def erase(session: Session, *, ids: list[str]) -> None:
    """Deletes requests with their notes, consents, stored answers and deliveries.

    SQLite overwrites the freed space (`secure_delete`).
    """
    forget_subjects(session, ids=ids)
    connection = session.connection()
    for table in (RequestNote, Consent, IdempotencyRecord):
        connection.execute(delete(table).where(col(table.request_id).in_(ids)))
    connection.execute(delete(ConsultationRequest).where(col(ConsultationRequest.id).in_(ids)))


def purge(session: Session, *, actor: str = SERVICE) -> int:
    """Erases requests after their retention period, in batches; returns how many.

    It also deletes expired answers, old deliveries and letters that no longer count.
    """
    now = utc_now()
    due = session.exec(
        select(ConsultationRequest.id)
        .where(col(ConsultationRequest.retention_until) <= now)
        .limit(_BATCH_SIZE)
        # A request that another transaction has locked is erased by the next run.
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
