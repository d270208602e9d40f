"""The clinic's state, and what follows from it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field as Described

from models.status_change import ConsultationMode, StatusChange, StatusChangePublic
from models.status_content import StatusContent
from models.values import ClinicState, Output


class IntakeReason(StrEnum):
    """Why consultation requests are not simply taken."""

    WAITLIST = "waitlist"
    INTAKE_PAUSED = "intake_paused"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


BusinessStatus = Literal["OPERATIONAL", "CLOSED_TEMPORARILY", "CLOSED_PERMANENTLY"]

# The words of the Google Places API for the same three states.
BUSINESS_STATUSES: dict[ClinicState, BusinessStatus] = {
    ClinicState.OPEN: "OPERATIONAL",
    ClinicState.TEMPORARILY_CLOSED: "CLOSED_TEMPORARILY",
    ClinicState.PERMANENTLY_CLOSED: "CLOSED_PERMANENTLY",
}


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
    def of(cls, status: ClinicStatus, *, form: str) -> "StatusPublic":
        """The status as it is served; `form` is the path of the consultation form."""
        change, content = status.change, status.content
        return cls(
            state=status.state,
            headline=change.headline,
            message=change.message,
            effective_from=change.effective_from,
            reopens_on=change.reopens_on,
            consultations=ConsultationsPublic(
                mode=status.mode, accepting=status.accepting, reason=status.reason, form=form
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
