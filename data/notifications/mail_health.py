"""Whether letters can be sent."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from models.delivery import (
    CANCELLED,
    DELIVERED,
    EMAILS,
    RECIPIENT,
    Channel,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
)
from models.values import utc_now

# After this time a dead letter no longer affects the result; the check `deliveries` counts it.
_DAY = timedelta(days=1)


def is_mail_fault(channel: str, outcome: str) -> bool:
    """Whether an attempt failed for a reason that affects other letters too.

    A fault of a patient's address is no such reason: otherwise a stranger could cause an alarm.
    """
    is_about_patient = channel == Channel.SUBMITTER_EMAIL and outcome.startswith(RECIPIENT)
    return channel in EMAILS and outcome not in (DELIVERED, CANCELLED) and not is_about_patient


def is_mail_failing(session: Session) -> bool:
    """Whether an attempt to send an unfinished letter failed, and no letter was sent after it."""
    latest = (
        select(DeliveryAttempt.outcome)
        .join(Delivery, col(Delivery.id) == col(DeliveryAttempt.delivery_id))
        .where(col(Delivery.channel).in_(EMAILS))
        .where(or_(col(DeliveryAttempt.outcome) == DELIVERED, and_(_is_fault(), _is_unfinished())))
        .order_by(col(DeliveryAttempt.id).desc())
        .limit(1)
    )
    return session.exec(latest).first() not in (None, DELIVERED)


def _is_fault() -> ColumnElement[bool]:
    """`is_mail_fault` as an SQL condition."""
    outcome = col(DeliveryAttempt.outcome)
    is_about_patient = and_(
        col(Delivery.channel) == Channel.SUBMITTER_EMAIL,
        outcome.startswith(RECIPIENT, autoescape=True),
    )
    return and_(outcome.not_in((DELIVERED, CANCELLED)), ~is_about_patient)


def _is_unfinished() -> ColumnElement[bool]:
    is_lately_dead = and_(
        col(Delivery.state) == DeliveryState.DEAD,
        col(Delivery.finished_at) > utc_now() - _DAY,
    )
    return or_(col(Delivery.state) == DeliveryState.PENDING, is_lately_dead)
