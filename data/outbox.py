"""The outbox: messages to send, each stored in the transaction of its event."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from data.letter_receipts import ReceiptTokens
from models.delivery import (
    WAITS,
    Channel,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    EventType,
)
from models.event import EVENTS
from models.values import utc_now
from models.webhook import Webhook

# Longer than an attempt may take. When a process dies, its deliveries are due again after it.
LEASE = timedelta(minutes=2)
_RETENTION = timedelta(days=30)
# Part of the wait that is random: deliveries that failed together are not repeated together.
_JITTER = 0.2
_HOOKS = select(Webhook.id, Webhook.events).where(col(Webhook.ended_at).is_(None))
_random = random.SystemRandom()


def announce(
    session: Session,
    *,
    event: EventType,
    subjects: Iterable[str],
    state: str,
    emails: Iterable[Channel] = (),
    receipts: ReceiptTokens | None = None,
) -> None:
    """Adds a delivery for each subject and each receiver: each subject is now in `state`.

    Receivers are `emails` and the webhooks that listen to `event`. `receipts` has the tokens for
    letters to patients.
    """
    now = utc_now()
    receivers: list[tuple[Channel, str | None]] = [(channel, None) for channel in emails]
    for hook_id, events in session.exec(_HOOKS):
        if event in events:
            receivers.append((Channel.WEBHOOK, hook_id))
    rows: list[dict[str, Any]] = [
        {
            "id": str(uuid.uuid4()),
            "channel": channel,
            "webhook_id": webhook_id,
            "event": event,
            "subject": subject,
            "payload": _payload(event, at=now, subject=subject, state=state),
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "created_at": now,
            "next_attempt_at": now,
            "finished_at": None,
            "sealed_receipt": None,
        }
        for subject in subjects
        for channel, webhook_id in receivers
    ]
    if receipts:
        receipts.seal_into(rows)
    if rows:
        session.connection().execute(insert(Delivery), rows)


def _payload(event: EventType, *, at: datetime, subject: str, state: str) -> str:
    message = {"type": event, "timestamp": at, "data": {"id": subject, "state": state}}
    return EVENTS[event].model_validate(message).model_dump_json()


def is_due(session: Session) -> bool:
    return session.exec(select(Delivery.id).where(_due()).limit(1)).first() is not None


def claim(session: Session, *, limit: int) -> list[Delivery]:
    """Claims due deliveries for this process, until the lease ends."""
    due = session.exec(
        select(Delivery)
        .where(_due())
        .order_by(col(Delivery.next_attempt_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for delivery in due:
        delivery.attempts += 1
        delivery.next_attempt_at = utc_now() + LEASE
    session.flush()
    return list(due)


def record_attempt(
    session: Session,
    *,
    delivery: Delivery,
    outcome: str,
    took: timedelta,
    final_state: DeliveryState | None,
) -> None:
    """Records the outcome of an attempt, and schedules the next one if `final_state` is `None`.

    After the last attempt the delivery is dead.
    """
    row = session.get(Delivery, delivery.id, with_for_update=True)
    # During the attempt its request was erased, or its webhook ended.
    if row is None or row.state != DeliveryState.PENDING:
        return
    now = utc_now()
    session.add(
        DeliveryAttempt(
            delivery_id=row.id,
            at=now - took,
            outcome=outcome,
            milliseconds=int(took / timedelta(milliseconds=1)),
        )
    )
    if final_state is None and row.attempts >= len(WAITS):
        final_state = DeliveryState.DEAD
    if final_state is None:
        jitter = 1 + _random.uniform(-_JITTER, _JITTER)
        row.next_attempt_at = now + WAITS[row.attempts] * jitter
    else:
        row.state, row.next_attempt_at, row.finished_at = final_state, None, now
        # Staff can replay a dead delivery, whose letter then needs the token for its link.
        if final_state is not DeliveryState.DEAD:
            row.sealed_receipt = None
    session.flush()


def cancel_for_webhook(session: Session, *, webhook_id: str) -> None:
    pending = select(Delivery.id).where(
        col(Delivery.webhook_id) == webhook_id, col(Delivery.state) == DeliveryState.PENDING
    )
    session.connection().execute(
        update(Delivery)
        .where(col(Delivery.id).in_(_locked_in_order(pending)))
        .values(state=DeliveryState.CANCELLED, next_attempt_at=None, finished_at=utc_now())
    )


def old_deliveries() -> SelectOfScalar[str]:
    """Selects the ids of deliveries that were finished 30 or more days ago."""
    return select(Delivery.id).where(col(Delivery.finished_at) <= utc_now() - _RETENTION)


def forget_old(session: Session) -> None:
    _delete(session, old_deliveries())


def forget_subjects(session: Session, *, ids: list[str]) -> None:
    """Deletes all deliveries about these requests, also those that were not sent yet."""
    about = select(Delivery.id).where(col(Delivery.subject).in_(ids))
    # Waits for a transaction that records an attempt, so that this attempt is deleted too.
    session.exec(_locked_in_order(about)).all()
    _delete(session, about)


def _locked_in_order(ids: SelectOfScalar[str]) -> SelectOfScalar[str]:
    # All transactions lock in the same order, so that they cannot deadlock.
    return ids.order_by(col(Delivery.id)).with_for_update()


def _due() -> ColumnElement[bool]:
    return col(Delivery.next_attempt_at) <= utc_now()


def _delete(session: Session, ids: SelectOfScalar[str]) -> None:
    connection = session.connection()
    connection.execute(delete(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id).in_(ids)))
    connection.execute(delete(Delivery).where(col(Delivery.id).in_(ids)))
