"""Consultation requests as the clinic's staff reads and changes them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, StrictBool
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.consultation_request import RequestState
from models.listing import Listing
from models.sent_request import SentPublic
from models.values import LINE_LENGTH, Input, Output, Paragraphs, no_control_characters

TRANSITIONS: dict[RequestState, tuple[RequestState, ...]] = {
    RequestState.RECEIVED: (
        RequestState.CONTACTED,
        RequestState.DECLINED,
        RequestState.CLOSED_OUT,
    ),
    RequestState.WAITLISTED: (
        RequestState.CONTACTED,
        RequestState.DECLINED,
        RequestState.CLOSED_OUT,
    ),
    RequestState.CONTACTED: (
        RequestState.SCHEDULED,
        RequestState.DECLINED,
        RequestState.CLOSED_OUT,
    ),
    RequestState.SCHEDULED: (
        RequestState.COMPLETED,
        RequestState.DECLINED,
        RequestState.CLOSED_OUT,
    ),
}


class RequestNote(SQLModel, table=True):
    """A note that staff wrote about a request. Its text is in `sealed`."""

    __tablename__ = "request_note"

    id: str = Field(primary_key=True, max_length=36)
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    author: str
    written_at: datetime
    sealed: bytes


class RequestChange(Input):
    """A change of a request. Fields that are not given stay unchanged."""

    # An empty `assigned_to` ends the assignment; an absent one and `null` leave it unchanged.
    fields_with_empty_value = frozenset({"assigned_to"})

    state: RequestState | None = Described(
        default=None, description="One of `available_transitions`."
    )
    assigned_to: (
        Annotated[
            str,
            Described(max_length=LINE_LENGTH),
            AfterValidator(no_control_characters),
            AfterValidator(str.strip),
        ]
        | None
    ) = Described(
        default=None,
        description="The person who is responsible for the request. An empty string ends the "
        "assignment; in all other fields, an empty string means that the field is not given.",
    )
    quarantined: StrictBool | None = Described(
        default=None, description="`true` puts the request into quarantine, `false` releases it."
    )


class NoteCreate(Input):
    """A new note."""

    text: Paragraphs = Described(
        description="Text of the note. It is sealed, like what the patient sent."
    )


class RequestSummary(Output):
    """A request in a list, without anything that the person typed."""

    id: str = Described(description="Id of the request.")
    state: RequestState = Described(description="State of the request.")
    end_reason: str | None = Described(
        description="Code of the reason for the end, `clinic_permanently_closed`; `null` for none."
    )
    received_at: datetime = Described(description="When the request was stored.")
    updated_at: datetime = Described(description="When the request last changed.")
    assigned_to: str | None = Described(
        description="The person who is responsible for the request; `null` for none."
    )
    quarantined: bool = Described(
        description="Whether it is suspected spam. It is stored like every other request."
    )
    retention_until: datetime | None = Described(
        description="When it will be erased; `null` while no retention period applies."
    )
    version: int = Described(
        description="Version of the request. Each change raises it. It is the number in the `ETag`."
    )


class RequestList(Listing[RequestSummary]):
    """A page of requests, the newest first."""


class GivenConsentPublic(Output):
    """A consent that the person gave."""

    purpose: str = Described(description="Purpose of the consent.")
    version: int = Described(description="Version of the text.")
    text: str = Described(description="The text that was shown.")
    given_at: datetime = Described(description="When the consent was given.")


class NotePublic(Output):
    """A note about a request."""

    id: str = Described(description="Id of the note.")
    author: str = Described(description="Owner of the token that wrote the note.")
    written_at: datetime = Described(description="When the note was written.")
    text: str = Described(description="Text of the note.")


class RequestPublic(RequestSummary):
    """One request with its content. Each read is an event in the audit."""

    sent: SentPublic | None = Described(
        description="What the person sent; `null` after it was erased."
    )
    consents: list[GivenConsentPublic] = Described(description="The consents that the person gave.")
    notes: list[NotePublic] = Described(description="Notes of the staff, the oldest first.")
    available_transitions: list[RequestState] = Described(
        description="The states to which it can change now."
    )
    quarantine_reasons: list[str] = Described(
        description="Why it is suspected spam: `honeypot`, `too_fast`, `staff`."
    )
    possible_duplicates: list[str] = Described(
        description="Ids of open requests with the same e-mail address or phone number."
    )
