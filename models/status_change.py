"""A change of the clinic's state: what is kept of it, what asks for it, what is told of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field as Described
from pydantic import model_validator
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import ClinicState, Day, Input, Instant, Line, Output, Paragraphs, fault


class ConsultationMode(StrEnum):
    """How consultation requests are taken."""

    OPEN = "open"
    WAITLIST = "waitlist"
    PAUSED = "paused"
    CLOSED = "closed"


DEFAULT_MODES = {
    ClinicState.OPEN: ConsultationMode.OPEN,
    ClinicState.TEMPORARILY_CLOSED: ConsultationMode.PAUSED,
    ClinicState.PERMANENTLY_CLOSED: ConsultationMode.CLOSED,
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
    effective_from: Instant | None = Described(
        default=None, description="When it takes effect, with its offset; at once by default."
    )
    reopens_on: Day | None = Described(
        default=None, description="A day for reopening, with `temporarily_closed`."
    )
    headline: Line | None = Described(
        default=None, description="A few words for a banner; the state's own by default."
    )
    message: Paragraphs | None = Described(
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
