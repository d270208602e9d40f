"""The delivery log for staff."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.paging import Cursor, Order, Page, read_page
from models.audit import Action
from models.delivery import (
    Delivery,
    DeliveryAttempt,
    DeliveryAttemptPublic,
    DeliveryPublic,
    DeliveryState,
)
from models.values import utc_now
from models.webhook import Webhook

_ORDER = Order(Delivery.created_at, Delivery.id, descending=True)


def count_dead(session: Session) -> int:
    query = select(func.count()).where(col(Delivery.state) == DeliveryState.DEAD)
    return session.exec(query).one()


def list_deliveries(
    session: Session,
    *,
    state: DeliveryState | None,
    webhook_id: str | None,
    limit: int,
    after: Cursor | None = None,
) -> Page[DeliveryPublic]:
    """A page of deliveries, the newest first, each with its attempts."""
    wanted: list[ColumnElement[bool]] = []
    if state is not None:
        wanted.append(col(Delivery.state) == state)
    if webhook_id is not None:
        wanted.append(col(Delivery.webhook_id) == webhook_id)
    page = read_page(session, Delivery, wanted=wanted, order=_ORDER, limit=limit, after=after)
    return page.with_items(_with_attempts(session, page.items))


def find_delivery(session: Session, *, delivery_id: str) -> Delivery | None:
    """The delivery, locked against changes until the transaction ends."""
    return session.get(Delivery, delivery_id, with_for_update=True)


def describe(session: Session, *, row: Delivery) -> DeliveryPublic:
    return _with_attempts(session, [row])[0]


def _with_attempts(session: Session, rows: Sequence[Delivery]) -> list[DeliveryPublic]:
    ids = [row.id for row in rows]
    attempts = session.exec(
        select(DeliveryAttempt)
        .where(col(DeliveryAttempt.delivery_id).in_(ids))
        .order_by(col(DeliveryAttempt.id))
    )
    by_delivery: defaultdict[str, list[DeliveryAttemptPublic]] = defaultdict(list)
    for attempt in attempts:
        by_delivery[attempt.delivery_id].append(DeliveryAttemptPublic.model_validate(attempt))
    return [
        DeliveryPublic(
            **row.model_dump(exclude={"payload", "sealed_receipt", "attempts"}),
            attempts=by_delivery[row.id],
        )
        for row in rows
    ]


def replay(session: Session, *, row: Delivery, actor: str) -> bool:
    """Starts the attempts again, with the same id.

    Returns `False` if the delivery was cancelled or its webhook has ended.
    """
    hook = session.get(Webhook, row.webhook_id) if row.webhook_id else None
    if row.state == DeliveryState.CANCELLED or (hook is not None and hook.ended_at):
        return False
    row.state, row.attempts, row.finished_at = DeliveryState.PENDING, 0, None
    row.next_attempt_at = utc_now()
    record_event(session, actor=actor, action=Action.DELIVERY_REPLAYED, subject=row.id)
    session.flush()
    return True
