"""The clinic's status: its state, and the facts that depend on the state."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field as Described

from models.status_change import StatusChange, StatusChangePublic
from models.status_content import StatusContent
from models.values import ClinicState, ConsultationMode, Output


class IntakeReason(StrEnum):
    """Why consultation requests go to a waiting list or are refused."""

    WAITLIST = "waitlist"
    INTAKE_PAUSED = "intake_paused"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


BusinessStatus = Literal["OPERATIONAL", "CLOSED_TEMPORARILY", "CLOSED_PERMANENTLY"]

# The names of the three states in the Google Places API.
BUSINESS_STATUSES: dict[ClinicState, BusinessStatus] = {
    ClinicState.OPEN: "OPERATIONAL",
    ClinicState.TEMPORARILY_CLOSED: "CLOSED_TEMPORARILY",
    ClinicState.PERMANENTLY_CLOSED: "CLOSED_PERMANENTLY",
}


@dataclass(frozen=True)
class ClinicStatus:
    """The clinic's status at one time."""

    change: StatusChange
    next_change: StatusChange | None
    version: int
    # `None` while only the state is known with which the database began.
    updated_at: datetime | None
    content: StatusContent

    @property
    def state(self) -> ClinicState:
        return ClinicState(self.change.state)

    @property
    def mode(self) -> ConsultationMode:
        return ConsultationMode(self.change.mode)

    @property
    def headline(self) -> str:
        return self.change.headline or self.content.texts[self.state].headline

    @property
    def message(self) -> str:
        return self.change.message or self.content.texts[self.state].message

    @property
    def intake_message(self) -> str | None:
        """One sentence about how requests are taken; `None` if they are simply taken."""
        return self.content.intake_messages.get(self.mode)

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
    """How the clinic handles consultation requests now."""

    mode: ConsultationMode = Described(
        description="`open`, `waitlist`, `paused`, or `closed` permanently."
    )
    accepting: bool = Described(description="Whether the clinic accepts new requests now.")
    reason: IntakeReason | None = Described(
        description="Why requests go to a waiting list or are refused; `null` if neither applies."
    )
    message: str | None = Described(
        description="One sentence for patients about how requests are taken now; `null` if they "
        "are simply taken."
    )
    form: str = Described(description="Path of the form.")


class ClosurePublic(Output):
    """Where the records of a closed clinic are. A field is `null` if it is not known."""

    records_contact: str | None = Described(description="Contact for medical records.")
    records_url: str | None = Described(
        description="URL of a page with information about medical records."
    )
    note: str | None = Described(description="Other information about the closure.")


class AlternativePublic(Output):
    """Another provider of help."""

    name: str = Described(description="Name of the provider.")
    url: str | None = Described(description="URL of its website; `null` if it is not known.")
    note: str | None = Described(description="What the provider offers.")


class SafetyResourcePublic(Output):
    """A contact for help in a crisis."""

    name: str = Described(description="Name of the contact.")
    contact: str = Described(description="How to reach it, for example a telephone number.")
    note: str | None = Described(description="When it can be reached, and who it helps.")


class StatusPublic(Output):
    """The clinic's status now."""

    state: ClinicState = Described(
        description="`open`, `temporarily_closed` or `permanently_closed`."
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
    consultations: ConsultationsPublic = Described(
        description="How the clinic handles consultation requests now."
    )
    closure: ClosurePublic = Described(description="Where the records of a closed clinic are.")
    alternatives: list[AlternativePublic] | None = Described(
        description="Other providers of help, which the operator chose; `null` if it is not known "
        "whether there are any."
    )
    safety_resources: list[SafetyResourcePublic] | None = Described(
        description="Contacts for help in a crisis, which the operator chose; `null` if it is not "
        "known whether there are any."
    )
    next_change: StatusChangePublic | None = Described(
        description="The next planned change; `null` for none."
    )
    business_status: BusinessStatus = Described(
        description="Name of the state in the Google Places API."
    )
    version: int = Described(description="Number of changes that have taken effect.")
    locale: str = Described(description="Language of the texts, a BCP 47 tag.")
    updated_at: datetime | None = Described(
        description="When the content of this answer last changed; `null` if that is not known."
    )

    @classmethod
    def of(cls, status: ClinicStatus, *, form: str, locale: str) -> "StatusPublic":
        """The status as it is served; `form` is the path of the consultation form."""
        change, content = status.change, status.content
        return cls(
            state=status.state,
            headline=status.headline,
            message=status.message,
            effective_from=change.effective_from,
            reopens_on=change.reopens_on,
            consultations=ConsultationsPublic(
                mode=status.mode,
                accepting=status.accepting,
                reason=status.reason,
                message=status.intake_message,
                form=form,
            ),
            closure=ClosurePublic.model_validate(content.closure),
            alternatives=None
            if content.alternatives is None
            else [AlternativePublic.model_validate(a) for a in content.alternatives],
            safety_resources=None
            if content.safety_resources is None
            else [SafetyResourcePublic.model_validate(r) for r in content.safety_resources],
            next_change=status.next_change
            and StatusChangePublic.of(status.next_change, content.texts),
            business_status=BUSINESS_STATUSES[status.state],
            version=status.version,
            locale=locale,
            updated_at=status.updated_at,
        )
