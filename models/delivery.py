"""Deliveries: messages about events, each to one receiver, and the attempts to send them."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import Output


class EventType(StrEnum):
    """Type of an event."""

    REQUEST_RECEIVED = "request.received"
    REQUEST_CHANGED = "request.changed"
    REQUEST_WITHDRAWN = "request.withdrawn"
    STATUS_CHANGED = "status.changed"


class Channel(StrEnum):
    """Receiver of a message: the clinic or the sender of a request by e-mail, or a webhook."""

    CLINIC_EMAIL = "clinic_email"
    SUBMITTER_EMAIL = "submitter_email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """State of a delivery.

    `dead`: the last attempt failed, and no other follows. `cancelled`: it will not be sent; its
    last attempt contains the reason.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"


EMAILS = (Channel.CLINIC_EMAIL, Channel.SUBMITTER_EMAIL)

# Outcomes after which there is no further attempt.
DELIVERED = "delivered"
CANCELLED = "cancelled"
# Prefix of an outcome whose cause is one recipient, not the mail server.
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
    """One message to one receiver, stored in the transaction of its event.

    It contains no personal data: the address and the text of a letter are read when it is sent.
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
    """One attempt, and its outcome in a word."""

    __tablename__ = "delivery_attempt"

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id", index=True, max_length=36)
    at: datetime
    outcome: str
    milliseconds: int


class DeliveryAttemptPublic(Output):
    """One attempt to deliver a message."""

    at: datetime = Described(description="When the attempt began.")
    outcome: str = Described(
        description="`delivered`, or the fault: `http_` or `smtp_` and the code, `timeout`, "
        "`unreachable`, `address_refused`, `tls_missing`, `tls_failed`, `login_missing`. If the "
        "cause is the recipient of an e-mail: `recipient_` and the code, `recipient_invalid`, "
        "`recipient_unsupported`, or `recipient_limit` after the limit of e-mails in a day. "
        "`cancelled` if the receiver or the request no longer exists."
    )
    milliseconds: int = Described(description="Duration of the attempt.")


class DeliveryPublic(Output):
    """One message to one receiver."""

    id: str = Described(description="Id of the delivery; the `webhook-id` of its message.")
    channel: Channel = Described(description="Receiver of the message.")
    webhook_id: str | None = Described(description="Id of the webhook; `null` for an e-mail.")
    event: EventType = Described(description="Type of the event.")
    subject: str = Described(description="`id` of the request, or of the status change.")
    state: DeliveryState = Described(description="State of the delivery.")
    created_at: datetime = Described(description="When the event happened.")
    next_attempt_at: datetime | None = Described(
        description="When the next attempt is due; `null` if there will be none."
    )
    finished_at: datetime | None = Described(
        description="When it became `delivered`, `dead` or `cancelled`; `null` while `pending`."
    )
    attempts: list[DeliveryAttemptPublic] = Described(description="All attempts, the oldest first.")


class DeliveryList(Listing[DeliveryPublic]):
    """A page of deliveries, the newest first."""
