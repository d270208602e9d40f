"""The clinic's state, and what follows from it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, model_validator
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.status_content import StatusContent
from models.values import ClinicState, Input, Output, Text, fault


class ConsultationMode(StrEnum):
    """How consultation requests are taken."""

    OPEN = "open"
    WAITLIST = "waitlist"
    PAUSED = "paused"
    CLOSED = "closed"


class IntakeReason(StrEnum):
    """Why consultation requests are not simply taken."""

    WAITLIST = "waitlist"
    INTAKE_PAUSED = "intake_paused"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


DEFAULT_MODES = {
    ClinicState.OPEN: ConsultationMode.OPEN,
    ClinicState.TEMPORARILY_CLOSED: ConsultationMode.PAUSED,
    ClinicState.PERMANENTLY_CLOSED: ConsultationMode.CLOSED,
}

BusinessStatus = Literal["OPERATIONAL", "CLOSED_TEMPORARILY", "CLOSED_PERMANENTLY"]

FORM_PATH = "/v1/consultation-requests/form"

# The words of the Google Places API for the same three states.
BUSINESS_STATUSES: dict[ClinicState, BusinessStatus] = {
    ClinicState.OPEN: "OPERATIONAL",
    ClinicState.TEMPORARILY_CLOSED: "CLOSED_TEMPORARILY",
    ClinicState.PERMANENTLY_CLOSED: "CLOSED_PERMANENTLY",
}


class StatusChange(SQLModel, table=True):
    """One change of the clinic's state: appended, never edited."""

    __tablename__ = "status_change"

    id: int | None = Field(default=None, primary_key=True)
    state: str
    mode: str
    headline: str
    message: str
    effective_from: datetime | None
    # The later of `effective_from` and `recorded_at`: a change never rewrites the past.
    takes_effect_at: datetime = Field(index=True)
    reopens_on: date | None
    recorded_at: datetime


class StatusChangeCreate(Input):
    """A change as an operator asks for it; what is not given follows from the state."""

    state: ClinicState = Described(description="The state from then on.")
    mode: ConsultationMode | None = Described(
        default=None, description="How requests are taken; what goes with the state by default."
    )
    effective_from: AwareDatetime | None = Described(
        default=None, description="When it takes effect, with its offset; at once by default."
    )
    reopens_on: date | None = Described(
        default=None, description="A day for reopening, with `temporarily_closed`."
    )
    headline: Text | None = Described(
        default=None, description="A few words for a banner; the state's own by default."
    )
    message: Text | None = Described(
        default=None, description="What patients are told; the state's own by default."
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "StatusChangeCreate":
        closed_for_good = self.state is ClinicState.PERMANENTLY_CLOSED
        if self.mode and (self.mode is ConsultationMode.CLOSED) is not closed_for_good:
            raise ValueError("mode `closed` goes with `permanently_closed`, and only with it")
        if self.reopens_on and self.state is not ClinicState.TEMPORARILY_CLOSED:
            raise ValueError("a reopening day goes with `temporarily_closed` only")
        return self


class StatusChangeRequest(StatusChangeCreate):
    """A change as staff asks for it over HTTP."""

    confirm: Literal["permanently_closed"] | None = Described(
        default=None, description="Needed to close for good."
    )

    @model_validator(mode="after")
    def _is_meant(self) -> "StatusChangeRequest":
        if self.state is ClinicState.PERMANENTLY_CLOSED and self.confirm is None:
            raise fault("unconfirmed")
        return self

    @property
    def change(self) -> StatusChangeCreate:
        return StatusChangeCreate(**self.model_dump(exclude={"confirm"}))


@dataclass(frozen=True)
class ClinicStatus:
    """What is true of the clinic at one instant."""

    change: StatusChange
    next_change: StatusChange | None
    version: int
    updated_at: datetime
    content: StatusContent

    @property
    def state(self) -> ClinicState:
        return ClinicState(self.change.state)

    @property
    def mode(self) -> ConsultationMode:
        return ConsultationMode(self.change.mode)

    @property
    def accepting(self) -> bool:
        return self.mode in (ConsultationMode.OPEN, ConsultationMode.WAITLIST)

    @property
    def reason(self) -> IntakeReason | None:
        match self.mode:
            case ConsultationMode.OPEN:
                return None
            case ConsultationMode.WAITLIST:
                return IntakeReason.WAITLIST
            case ConsultationMode.CLOSED:
                return IntakeReason.PERMANENTLY_CLOSED
            case ConsultationMode.PAUSED if self.state is ClinicState.TEMPORARILY_CLOSED:
                return IntakeReason.TEMPORARILY_CLOSED
        return IntakeReason.INTAKE_PAUSED


class ConsultationsPublic(Output):
    """How consultation requests are taken now."""

    mode: ConsultationMode = Described(
        description="`open`, `waitlist`, `paused`, or `closed` for good."
    )
    accepting: bool = Described(description="Whether a new consultation request is taken now.")
    reason: IntakeReason | None = Described(
        description="Why requests are not simply taken; `null` when they are."
    )
    form: str = Described(description="Where the form is.")


class ClosurePublic(Output):
    """Where a closed clinic's records went, as far as that is known."""

    records_contact: str | None = Described(description="Who to ask for medical records.")
    records_url: str | None = Described(description="Where to read about medical records.")
    note: str | None = Described(description="Anything else about the closure.")


class AlternativePublic(Output):
    """Somewhere else to turn."""

    name: str = Described(description="What it is called.")
    url: str | None = Described(description="Its site, if it has one.")
    note: str | None = Described(description="What it is good for.")


class SafetyResourcePublic(Output):
    """Somebody to call in a crisis."""

    name: str = Described(description="What it is called.")
    contact: str = Described(description="How to reach it.")
    note: str | None = Described(description="When, and for whom.")


class StatusChangePublic(Output):
    """One change of the clinic's state."""

    state: ClinicState = Described(description="The state from then on.")
    mode: ConsultationMode = Described(description="How consultation requests are taken from then.")
    headline: str = Described(description="A few words for a banner.")
    message: str = Described(description="A sentence or more that may be shown to a patient.")
    effective_from: datetime | None = Described(
        description="Since when the state is true; `null` when that is not known."
    )
    reopens_on: date | None = Described(
        description="The day a temporarily closed clinic means to reopen, in its own time zone."
    )
    recorded_at: datetime = Described(description="When this service was told.")


class StatusChangeRecorded(StatusChangePublic):
    """A change that was recorded, and what it did to requests that were open."""

    closed_out: int = Described(description="How many open requests were closed out with it.")
    handover_export: str | None = Described(
        description="Where they are as CSV; `null` when there were none."
    )


class StatusChangeList(Listing[StatusChangePublic]):
    """A page of status changes."""


class StatusPublic(Output):
    """What is true of the clinic now."""

    state: ClinicState = Described(
        description="`open`, `temporarily_closed` or `permanently_closed`."
    )
    headline: str = Described(description="A few words for a banner.")
    message: str = Described(description="A sentence or more that may be shown to a patient.")
    effective_from: datetime | None = Described(
        description="Since when the state is true; `null` when that is not known."
    )
    reopens_on: date | None = Described(
        description="The day a temporarily closed clinic means to reopen, in its own time zone."
    )
    consultations: ConsultationsPublic = Described(
        description="How consultation requests are taken now."
    )
    closure: ClosurePublic = Described(
        description="Where a closed clinic's records went, as far as that is known."
    )
    alternatives: list[AlternativePublic] = Described(
        description="Where else to turn, as the operator named it."
    )
    safety_resources: list[SafetyResourcePublic] = Described(
        description="Whom to call in a crisis, as the operator named it."
    )
    next_change: StatusChangePublic | None = Described(
        description="The next change that is already announced."
    )
    business_status: BusinessStatus = Described(
        description="The state in the words of the Google Places API."
    )
    version: int = Described(description="How many changes have taken effect so far.")
    updated_at: datetime = Described(description="When what is said here last changed.")

    @classmethod
    def of(cls, status: ClinicStatus) -> "StatusPublic":
        change, content = status.change, status.content
        return cls(
            state=status.state,
            headline=change.headline,
            message=change.message,
            effective_from=change.effective_from,
            reopens_on=change.reopens_on,
            consultations=ConsultationsPublic(
                mode=status.mode, accepting=status.accepting, reason=status.reason, form=FORM_PATH
            ),
            closure=ClosurePublic.model_validate(content.closure),
            alternatives=[AlternativePublic.model_validate(a) for a in content.alternatives],
            safety_resources=[
                SafetyResourcePublic.model_validate(r) for r in content.safety_resources
            ],
            next_change=status.next_change
            and StatusChangePublic.model_validate(status.next_change),
            business_status=BUSINESS_STATUSES[status.state],
            version=status.version,
            updated_at=status.updated_at,
        )
