"""Changes of the clinic's status: tables, inputs, outputs."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import ConfigDict, StrictBool, model_validator
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.status_content import StatusText
from models.values import (
    ClinicState,
    ConsultationMode,
    Day,
    Input,
    Instant,
    Line,
    Output,
    Paragraphs,
)

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
    # `None` stands for the default words of the state, which the document `status` has.
    headline: str | None
    message: str | None
    effective_from: datetime | None
    # The later of `effective_from` and `recorded_at`, so that a change never applies to the past.
    takes_effect_at: datetime = Field(index=True)
    reopens_on: date | None
    recorded_at: datetime
    # Whether it is the state with which the database began. Then its day is not known.
    is_first_filling: bool = False

    @property
    def was_planned(self) -> bool:
        return self.takes_effect_at > self.recorded_at


class StatusChangeCallingOff(SQLModel, table=True):
    """Calls off a planned change before it takes effect: appended, never edited."""

    __tablename__ = "status_change_calling_off"

    change_id: int = Field(primary_key=True, foreign_key="status_change.id")
    at: datetime
    by: str = Field(max_length=16)


class Standing(StrEnum):
    """Whether a change is planned, in effect, past or called off."""

    PAST = "past"
    IN_EFFECT = "in_effect"
    PLANNED = "planned"
    CALLED_OFF = "called_off"


class StatusChangeCreate(Input):
    """A new change of the clinic's status. Fields that are not given have defaults."""

    state: ClinicState = Described(description="The clinic's state after the change.")
    mode: ConsultationMode | None = Described(
        default=None,
        description="How the clinic handles requests; by default the usual mode of the state.",
    )
    effective_from: Instant | None = Described(
        default=None,
        description="When the change takes effect, with an offset; by default at once.",
    )
    backdated: StrictBool | None = Described(
        default=None,
        description="Required if `effective_from` is in the past. The change still takes effect "
        "now: it does not change what was served before.",
    )
    reopens_on: Day | None = Described(
        default=None, description="Day of the reopening; only with `temporarily_closed`."
    )
    reopen: StrictBool | None = Described(
        default=None,
        description="Also plans a change to `open`, at the start of `reopens_on` in the clinic's "
        "time zone.",
    )
    headline: Line | None = Described(
        default=None, description="Short text for a banner; by default the text of the state."
    )
    message: Paragraphs | None = Described(
        default=None, description="Text for patients; by default the text of the state."
    )

    @model_validator(mode="after")
    def _check_across_fields(self) -> "StatusChangeCreate":
        is_permanent = self.state is ClinicState.PERMANENTLY_CLOSED
        if self.mode and (self.mode is ConsultationMode.CLOSED) is not is_permanent:
            raise ValueError("mode `closed` goes with `permanently_closed`, and only with it")
        if self.reopens_on and self.state is not ClinicState.TEMPORARILY_CLOSED:
            raise ValueError("a reopening day goes with `temporarily_closed` only")
        if self.reopen and not self.reopens_on:
            raise ValueError("a planned opening needs a reopening day")
        return self


class StatusChangeRequest(StatusChangeCreate):
    """A new change of the clinic's status, sent by staff."""

    confirm: Literal["permanently_closed"] | None = Described(
        default=None, description="Required to close permanently, except in a dry run."
    )

    @property
    def is_confirmed(self) -> bool:
        return self.confirm is not None or self.state is not ClinicState.PERMANENTLY_CLOSED


class StatusChangePublic(Output):
    """One change of the clinic's status."""

    state: ClinicState = Described(description="The clinic's state after the change.")
    mode: ConsultationMode = Described(
        description="How the clinic handles consultation requests after the change."
    )
    headline: str = Described(description="Short text for a banner.")
    message: str = Described(description="Text of one or more sentences to show to patients.")
    effective_from: datetime | None = Described(
        description="Since when the clinic is in this state; `null` if that is not known."
    )
    reopens_on: date | None = Described(
        description="Day on which a temporarily closed clinic plans to reopen, in the clinic's "
        "time zone."
    )
    recorded_at: datetime | None = Described(
        description="When this service recorded the change; `null` for the state with which its "
        "database began."
    )

    @classmethod
    def of(cls, change: StatusChange, texts: Mapping[ClinicState, StatusText]) -> Self:
        """The change with its words. `texts` are the default words for each state."""
        default = texts[ClinicState(change.state)]
        values = {
            **change.model_dump(),
            "headline": change.headline or default.headline,
            "message": change.message or default.message,
        }
        if change.is_first_filling:
            values["recorded_at"] = None
        return cls.model_validate(values)


class StaffStatusChange(StatusChangePublic):
    """One change of the clinic's status, with the facts that only staff can read."""

    id: str = Described(description="Id of the change.")
    status: Standing = Described(
        description="`past`, `in_effect`, `planned`, or `called_off` before it took effect."
    )

    @classmethod
    def with_standing(
        cls, change: StatusChange, texts: Mapping[ClinicState, StatusText], status: Standing
    ) -> Self:
        public = StatusChangePublic.of(change, texts)
        return cls(**public.model_dump(), id=str(change.id), status=status)


class PlannedStatusChange(StatusChangePublic):
    """A change that has not taken effect."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str | None = Described(
        description="Id of the change; `null` if it is not recorded, as in a dry run."
    )


class StatusChangeRecorded(PlannedStatusChange):
    """A change, and its effects on planned changes and on open requests."""

    status: Standing = Described(description="`in_effect` or `planned`.")
    planned: list[PlannedStatusChange] = Described(
        description="All planned changes after this call, the next one first. They include this "
        "change if it is planned."
    )
    calls_off: list[PlannedStatusChange] = Described(
        description="Planned changes that it calls off because it closes the clinic permanently."
    )
    closes_out: int = Described(
        description="Number of open requests that it closes out. For a planned closure: the number "
        "of requests that are open now."
    )
    handover_export: str | None = Described(
        description="Path of the CSV export of the closed-out requests; `null` for none."
    )


class StatusChangeList(Listing[StatusChangePublic]):
    """A page of status changes."""


class StaffStatusChangeList(Listing[StaffStatusChange]):
    """A page of status changes for the clinic's staff."""
