"""What is told to others when something happens, and how far that is."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import Output


class EventType(StrEnum):
    """What happened."""

    REQUEST_RECEIVED = "request.received"
    REQUEST_CHANGED = "request.changed"
    REQUEST_WITHDRAWN = "request.withdrawn"
    STATUS_CHANGED = "status.changed"


class Channel(StrEnum):
    """Who is told: the clinic by e-mail, the submitter by e-mail, or a webhook."""

    CLINIC_EMAIL = "clinic_email"
    SUBMITTER_EMAIL = "submitter_email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """`dead` was given up after the last attempt; `cancelled` is not sent: its attempt says why."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"


EMAILS = (Channel.CLINIC_EMAIL, Channel.SUBMITTER_EMAIL)

# Outcomes of a try that is not made again.
DELIVERED = "delivered"
CANCELLED = "cancelled"
# What an outcome begins with when the fault lies with one recipient, not with the mail server.
RECIPIENT = "recipient_"
OVER_LIMIT = f"{RECIPIENT}limit"

# How long to wait before each attempt (Standard Webhooks, "Deliverability and reliability").
WAITS = (
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


class Delivery(SQLModel, table=True):
    """One thing to tell one receiver, written in the transaction in which it happened.

    Nothing of it is personal: address and text of a letter are found when it is sent.
    """

    __table_args__ = (Index("ix_delivery_created_at_id", "created_at", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    channel: str
    webhook_id: str | None = Field(foreign_key="webhook.id", index=True, max_length=36)
    event: str
    subject: str = Field(index=True)
    payload: str
    state: str = Field(index=True)
    attempts: int = 0
    created_at: datetime
    next_attempt_at: datetime | None = Field(index=True)
    finished_at: datetime | None = Field(index=True)
    # The receipt token for the link in a patient's letter, until the letter is delivered.
    sealed_receipt: bytes | None = None


class DeliveryAttempt(SQLModel, table=True):
    """One try, and what came of it in a word."""

    __tablename__ = "delivery_attempt"

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id", index=True, max_length=36)
    at: datetime
    outcome: str
    milliseconds: int


class DeliveryAttemptPublic(Output):
    """One try."""

    at: datetime = Described(description="When it was begun.")
    outcome: str = Described(
        description="`delivered`, or what went wrong: `http_` or `smtp_` and the code, `timeout`, "
        "`unreachable`, `address_refused`, `tls_missing`, `tls_failed`, `login_missing`. Where the "
        "fault lies with the recipient of an e-mail: `recipient_` and the code, "
        "`recipient_invalid`, `recipient_unsupported`, or `recipient_limit` for one that has had "
        "enough letters today. `cancelled` where nobody is left to tell."
    )
    milliseconds: int = Described(description="How long it took.")


class DeliveryPublic(Output):
    """One thing told to one receiver."""

    id: str = Described(description="Names the delivery; the `webhook-id` of its message.")
    channel: Channel = Described(description="Who is told.")
    webhook_id: str | None = Described(description="Which webhook; `null` for an e-mail.")
    event: EventType = Described(description="What happened.")
    subject: str = Described(
        description="What it happened to: `id` of the request, or of the status change."
    )
    state: DeliveryState = Described(description="How far it is.")
    created_at: datetime = Described(description="When it happened.")
    next_attempt_at: datetime | None = Described(
        description="When it is tried again; `null` when it is not."
    )
    finished_at: datetime | None = Described(
        description="When it was delivered, given up or cancelled."
    )
    attempts: list[DeliveryAttemptPublic] = Described(description="Each try, the first one first.")


class DeliveryList(Listing[DeliveryPublic]):
    """A page of deliveries, the newest first."""
