"""Consultation requests: the states, the tables, and the answers to the person."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.values import JSONColumn, Output


class RequestState(StrEnum):
    """State of a request. `completed`, `declined`, `withdrawn` and `closed_out` are final."""

    RECEIVED = "received"
    WAITLISTED = "waitlisted"
    CONTACTED = "contacted"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CLOSED_OUT = "closed_out"


FINAL_STATES = {
    RequestState.COMPLETED,
    RequestState.DECLINED,
    RequestState.WITHDRAWN,
    RequestState.CLOSED_OUT,
}


class ConsultationRequest(SQLModel, table=True):
    """One request. Everything that a person typed is in `sealed` only."""

    __tablename__ = "consultation_request"

    __table_args__ = (
        Index("ix_consultation_request_received_at_id", "received_at", "id"),
        Index("ix_consultation_request_state_received_at_id", "state", "received_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    state: str
    # The reason for the end of the request, if the state does not show it.
    end_reason: str | None = None
    received_at: datetime
    updated_at: datetime
    state_changed_at: datetime
    retention_until: datetime | None = Field(index=True)
    version: int = 1
    assigned_to: str | None = None
    quarantined: bool = False
    quarantine_reasons: list[str] = Field(default_factory=list, sa_type=JSONColumn)
    # With keyed digests, requests of the same person are found without opening them.
    email_digest: bytes | None = Field(default=None, index=True)
    phone_digest: bytes | None = Field(default=None, index=True)
    receipt_hash: bytes
    sealed: bytes | None


class Consent(SQLModel, table=True):
    """A consent that a person gave, with the exact text that was shown."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    purpose: str
    version: int
    text: str
    given_at: datetime


class NextStepPublic(Output):
    """The next step of a request."""

    code: str = Described(
        description="The state of the request; or `clinic_` and the clinic's state, if the clinic "
        "is closed and the request must wait."
    )
    text: str = Described(description="What happens next, as a text for the person.")


class ReceiptPublic(Output):
    """A request as its sender can read it. It never contains data that the sender typed."""

    id: str = Described(description="Id of the request.")
    state: RequestState = Described(description="State of the request.")
    received_at: datetime = Described(description="When the request was stored.")
    updated_at: datetime = Described(description="When its state last changed.")
    retention_until: datetime | None = Described(
        description="When it will be erased; `null` while no retention period applies."
    )
    next_step: NextStepPublic = Described(description="What happens next.")


class ConsultationRequestAccepted(Output):
    """The answer to an accepted request."""

    id: str = Described(description="Id of the request.")
    state: RequestState = Described(
        description="`received`, or `waitlisted` if the clinic has a waiting list."
    )
    receipt_token: str = Described(
        description="Token to read the receipt and to withdraw the request. Only this answer "
        "contains it: keep it."
    )
    received_at: datetime = Described(description="When the request was stored.")
    retention_until: datetime | None = Described(
        description="When it will be erased; `null` while no retention period applies."
    )
    next_step: NextStepPublic = Described(description="What happens next.")
