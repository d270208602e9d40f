"""The audit: records who did what. An event is written in the transaction of the action."""

from sqlalchemy import event, func
from sqlalchemy.orm import Session as AnySession
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, col, select

from data.audit.chain import CHAIN_LOCK, chain_of
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
    """Records an event; the commit of the transaction writes it, and a rollback drops it.

    `actor` is the id of a token, or a constant of `models/audit.py`; `subject` is the id of the
    object. `details` must contain nothing that a patient typed. Raises `ChainNotOpen`.
    """
    chain_of(session)
    # Begins the transaction, so that `_drop_events` runs when it ends without a commit.
    session.connection()
    session.info.setdefault(_COLLECTED, []).append(
        AuditEvent(at=utc_now(), actor=actor, action=action, subject=subject, details=details or {})
    )


def write_events(session: Session) -> None:
    """Inserts the recorded events of this transaction, each with its hash in the chain.

    Every commit calls it. A call before the commit makes other writers of events wait until the
    transaction ends, because it takes the lock of the chain.
    """
    events: list[AuditEvent] = session.info.pop(_COLLECTED, [])
    if not events:
        return
    # Writes the other rows first: every transaction takes the lock of the chain after all its
    # other locks, so that there is no deadlock.
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
    """The id of the newest event (0 for none), and the newest hash (`None` for none)."""
    number = session.exec(select(func.max(AuditEvent.id))).one() or 0
    linked = select(AuditEvent.hash).where(col(AuditEvent.hash).is_not(None))
    return number, session.exec(linked.order_by(col(AuditEvent.id).desc()).limit(1)).first()


@event.listens_for(AnySession, "before_commit")
def _write_before_commit(session: Session) -> None:
    write_events(session)


@event.listens_for(AnySession, "after_transaction_end")
def _drop_events(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_COLLECTED, None)


def list_events(
    session: Session, *, limit: int, after: Cursor | None, subject: str | None = None
) -> Page[AuditEventPublic]:
    """A page of the events, the newest first. With `subject`, only the events of that object."""
    wanted = [col(AuditEvent.subject) == subject] if subject else []
    page = read_page(session, AuditEvent, wanted=wanted, order=_ORDER, limit=limit, after=after)
    return page.with_items([AuditEventPublic.model_validate(row) for row in page.items])
