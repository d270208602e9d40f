"""The audit: who did what, written in the transaction that did it."""

from sqlalchemy import event, func
from sqlalchemy.orm import Session as AnySession
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, col, select

from data.audit_chain import CHAIN_LOCK, chain_of
from data.database import take_lock
from data.paging import Cursor, Order, Page, read_page
from models.audit import Action, AuditEvent, AuditEventPublic, Details
from models.values import utc_now

_ORDER = Order(AuditEvent.id, descending=True)
_COLLECTED = "audit_events"


def record_event(
    session: Session,
    *,
    actor: str,
    action: Action,
    subject: str | None = None,
    details: Details | None = None,
) -> None:
    """Appends an event with the commit; `details` holds nothing that a patient typed.

    Raises `ChainNotOpen` where the session's chain was not opened.
    """
    chain_of(session)
    # Begins the transaction: when it ends without a commit, the event is forgotten.
    session.connection()
    session.info.setdefault(_COLLECTED, []).append(
        AuditEvent(at=utc_now(), actor=actor, action=action, subject=subject, details=details or {})
    )


def write_events(session: Session) -> None:
    """Links and inserts the events that were recorded so far in this transaction.

    The commit calls it. What calls it before keeps other writers of events waiting until its end.
    """
    events: list[AuditEvent] = session.info.pop(_COLLECTED, [])
    if not events:
        return
    # Whatever else this transaction locks, it locks first, so that two of them cannot wait for
    # each other.
    session.flush()
    take_lock(session.connection(), CHAIN_LOCK)
    chain = chain_of(session)
    number, previous = _find_end(session)
    for row in events:
        number += 1
        row.id = number
        row.hash = previous = chain.link(previous, row)
        session.add(row)
    session.flush()


def _find_end(session: Session) -> tuple[int, bytes | None]:
    """The id of the newest event, 0 where there is none, and the hash of the newest link."""
    number = session.exec(select(func.max(AuditEvent.id))).one() or 0
    linked = select(AuditEvent.hash).where(col(AuditEvent.hash).is_not(None))
    return number, session.exec(linked.order_by(col(AuditEvent.id).desc()).limit(1)).first()


@event.listens_for(AnySession, "before_commit")
def _write_before_commit(session: Session) -> None:
    write_events(session)


@event.listens_for(AnySession, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_COLLECTED, None)


def list_events(
    session: Session, *, limit: int, after: Cursor | None, subject: str | None = None
) -> Page[AuditEventPublic]:
    """The newest first; those about one subject only, where it is given."""
    wanted = [col(AuditEvent.subject) == subject] if subject else []
    page = read_page(session, AuditEvent, wanted=wanted, order=_ORDER, limit=limit, after=after)
    return page.with_items([AuditEventPublic.model_validate(row) for row in page.items])
