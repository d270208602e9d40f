"""The audit: who did what, written in the transaction that did it."""

from sqlmodel import Session, col

from data.paging import Cursor, Order, Page, read_page
from models.audit import Action, AuditEvent, AuditEventPublic, Details
from models.values import utc_now

_ORDER = Order(AuditEvent.id, descending=True)


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
    session: Session, *, limit: int, after: Cursor | None, subject: str | None = None
) -> Page[AuditEventPublic]:
    """The newest first; those about one subject only, where it is given."""
    wanted = [col(AuditEvent.subject) == subject] if subject else []
    page = read_page(session, AuditEvent, wanted=wanted, order=_ORDER, limit=limit, after=after)
    return page.with_items([AuditEventPublic.model_validate(row) for row in page.items])
