"""The audit: who did what, written in the transaction that did it."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.audit import Action, AuditEvent, AuditEventPublic, Details
from models.listing import Page
from models.values import utc_now


def record_event(
    session: Session,
    *,
    actor: str,
    action: Action,
    subject: str | None = None,
    details: Details | None = None,
) -> None:
    """Appends an event; `details` holds nothing that a patient typed."""
    session.add(
        AuditEvent(at=utc_now(), actor=actor, action=action, subject=subject, details=details or {})
    )


def list_events(
    session: Session, *, limit: int, after: int | None, subject: str | None = None
) -> Page[AuditEventPublic]:
    """The newest first; those about one subject only, where it is given."""
    wanted = col(AuditEvent.subject) == subject if subject else col(AuditEvent.id).is_not(None)
    total = session.exec(select(func.count()).select_from(AuditEvent).where(wanted)).one()
    query = select(AuditEvent).where(wanted).order_by(col(AuditEvent.id).desc()).limit(limit + 1)
    if after is not None:
        query = query.where(col(AuditEvent.id) < after)
    rows = session.exec(query).all()
    return Page(
        items=[AuditEventPublic.model_validate(row) for row in rows[:limit]],
        total=total,
        last_key=rows[limit - 1].id if len(rows) > limit else None,
    )
