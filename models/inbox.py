"""Consultation requests as the clinic's staff sees and moves them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, StrictBool
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.consultation_request import RequestState
from models.listing import Listing
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
    """What a member of staff wrote about a request; the words are inside `sealed`."""

    __tablename__ = "request_note"

    id: str = Field(primary_key=True, max_length=36)
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    author: str
    written_at: datetime
    sealed: bytes


class RequestChange(Input):
    """What to change; what is not given stays."""

    # Staff gives a request back with it: absent and `null` both leave the assignee as it is.
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
        description="Who looks after it. An empty string, which elsewhere means not given, ends "
        "the assignment.",
    )
    quarantined: StrictBool | None = Described(
        default=None, description="`false` lets it out of quarantine, `true` puts it there."
    )


class NoteCreate(Input):
    """A note to be written."""

    text: Paragraphs = Described(description="What to remember; sealed like what the patient sent.")


class RequestSummary(Output):
    """A request in the list, without anything that was typed."""

    id: str = Described(description="Names the request.")
    state: RequestState = Described(description="How far it is.")
    end_reason: str | None = Described(
        description="Why it was closed out, as a code: `clinic_permanently_closed`."
    )
    received_at: datetime = Described(description="When it was stored.")
    updated_at: datetime = Described(description="When it last changed.")
    assigned_to: str | None = Described(description="Who looks after it.")
    quarantined: bool = Described(
        description="Whether it looks like spam. It was stored like any other."
    )
    retention_until: datetime | None = Described(
        description="When it is erased; `null` until a retention period exists."
    )
    version: int = Described(description="Raised by each change; the number in its `ETag`.")


class RequestList(Listing[RequestSummary]):
    """A page of requests, the newest first."""


class SentPublic(Output):
    """What the person sent, as it was checked."""

    name: str = Described(description="What the clinic should call the person.")
    email: str | None = Described(description="E-mail address.")
    phone: str | None = Described(description="In E.164.")
    preferred_contact: str | None = Described(description="`email`, `phone` or `either`.")
    may_leave_voicemail: bool | None = Described(
        description="Whether an answering machine may be spoken to."
    )
    best_time: str | None = Described(description="When the person is best reached.")
    topic: str = Described(description="What it is about.")
    message: str | None = Described(description="Exactly as typed.")
    form_version: int = Described(description="Which form the person saw.")


class GivenConsentPublic(Output):
    """What the person agreed to."""

    purpose: str = Described(description="What for.")
    version: int = Described(description="Which version of the words.")
    text: str = Described(description="The words that were shown.")
    given_at: datetime = Described(description="When.")


class NotePublic(Output):
    """A note."""

    id: str = Described(description="Names the note.")
    author: str = Described(description="Owner of the token that wrote it.")
    written_at: datetime = Described(description="When.")
    text: str = Described(description="The words.")


class RequestPublic(RequestSummary):
    """One request, opened. That it was read is in the audit."""

    sent: SentPublic | None = Described(
        description="What the person sent; `null` once it is erased."
    )
    consents: list[GivenConsentPublic] = Described(description="What the person agreed to.")
    notes: list[NotePublic] = Described(description="What staff wrote, the oldest first.")
    available_transitions: list[RequestState] = Described(
        description="The states it can be moved to now."
    )
    quarantine_reasons: list[str] = Described(
        description="Why it looks like spam: `honeypot`, `too_fast`, `staff`."
    )
    possible_duplicates: list[str] = Described(
        description="Ids of open requests with the same e-mail address or phone number."
    )
