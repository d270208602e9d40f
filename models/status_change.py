"""A change of the clinic's state: its tables, the input, the outputs."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, StrictBool, model_validator
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import ClinicState, Day, Input, Instant, Line, Output, Paragraphs


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

    @property
    def was_planned(self) -> bool:
        return self.takes_effect_at > self.recorded_at


class StatusChangeCallingOff(SQLModel, table=True):
    """Takes back a planned change before its time: appended, never edited."""

    __tablename__ = "status_change_calling_off"

    change_id: int = Field(primary_key=True, foreign_key="status_change.id")
    at: datetime
    by: str = Field(max_length=16)


class Standing(StrEnum):
    """Where a change stands now."""

    PAST = "past"
    IN_EFFECT = "in_effect"
    PLANNED = "planned"
    CALLED_OFF = "called_off"


class StatusChangeCreate(Input):
    """A change as an operator asks for it; what is not given follows from the state."""

    state: ClinicState = Described(description="The state from then on.")
    mode: ConsultationMode | None = Described(
        default=None, description="How requests are taken; what goes with the state by default."
    )
    effective_from: Instant | None = Described(
        default=None, description="When it takes effect, with its offset; at once by default."
    )
    backdated: StrictBool | None = Described(
        default=None,
        description="Needed for an `effective_from` in the past. The change takes effect at once "
        "all the same: what was served before stays true.",
    )
    reopens_on: Day | None = Described(
        default=None, description="A day for reopening, with `temporarily_closed`."
    )
    reopen: StrictBool | None = Described(
        default=None,
        description="Plans the opening too, for the start of `reopens_on` in the clinic's zone.",
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
        if self.reopen and not self.reopens_on:
            raise ValueError("a planned opening needs a reopening day")
        return self


class StatusChangeRequest(StatusChangeCreate):
    """A change as staff asks for it over HTTP."""

    confirm: Literal["permanently_closed"] | None = Described(
        default=None, description="Needed to close for good, but not for a dry run."
    )

    @property
    def is_confirmed(self) -> bool:
        return self.confirm is not None or self.state is not ClinicState.PERMANENTLY_CLOSED


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


class StaffStatusChange(StatusChangePublic):
    """One change as the clinic's staff sees it."""

    id: str = Described(description="Names the change.")
    status: Standing = Described(
        description="`past`, `in_effect`, `planned`, or `called_off` before it took effect."
    )

    @classmethod
    def of(cls, change: StatusChange, status: Standing) -> "StaffStatusChange":
        public = StatusChangePublic.model_validate(change)
        return cls(**public.model_dump(), id=str(change.id), status=status)


class PlannedStatusChange(StatusChangePublic):
    """A change that has not taken effect."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str | None = Described(
        description="Names the change; `null` for one that a dry run did not record."
    )


class StatusChangeRecorded(PlannedStatusChange):
    """A change, and what it does to planned changes and to open requests."""

    status: Standing = Described(description="`in_effect` or `planned`.")
    planned: list[PlannedStatusChange] = Described(
        description="The planned changes that stand after it, itself included, the next one first."
    )
    calls_off: list[PlannedStatusChange] = Described(
        description="The planned changes that it calls off, because it closes the clinic for good."
    )
    closes_out: int = Described(
        description="How many open requests it ends: now, or for a planned closure those that are "
        "open now."
    )
    handover_export: str | None = Described(
        description="Where the requests that it ended are as CSV; `null` when there are none."
    )


class StatusChangeList(Listing[StatusChangePublic]):
    """A page of status changes."""


class StaffStatusChangeList(Listing[StaffStatusChange]):
    """A page of status changes as the clinic's staff sees them."""
