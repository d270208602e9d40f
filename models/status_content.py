"""The words for each state of the clinic, and contacts for other help."""

from typing import Annotated

from pydantic import Field as Described
from pydantic import field_validator

from models.values import (
    MAX_ITEMS,
    ClinicState,
    ConsultationMode,
    Day,
    FewKeys,
    Input,
    Instant,
    Line,
    Paragraphs,
    WebAddress,
)


class StatusText(Input):
    """The words for one state of the clinic."""

    headline: Line = Described(description="Short text for a banner.")
    message: Paragraphs = Described(description="Text of one or more sentences for patients.")


class Closure(Input):
    """Where the records of a closed clinic are. A field is `None` if it is not known."""

    records_contact: Paragraphs | None = Described(
        default=None, description="Contact for questions about medical records."
    )
    records_url: WebAddress | None = Described(
        default=None, description="URL of a page about medical records."
    )
    note: Paragraphs | None = Described(
        default=None, description="More information about the closure."
    )


class Alternative(Input):
    """Another provider of care."""

    name: Line = Described(description="Name of the provider.")
    url: WebAddress | None = Described(
        default=None, description="URL of the provider; `null` if it is not known."
    )
    note: Paragraphs | None = Described(default=None, description="More about the provider.")


class SafetyResource(Input):
    """Help in an emergency or a crisis."""

    name: Line = Described(description="Name of the service that helps.")
    contact: Line = Described(description="Telephone number or another contact.")
    note: Paragraphs | None = Described(default=None, description="More about this help.")


class InitialStatus(Input):
    """The state with which an empty database begins."""

    state: ClinicState
    effective_from: Instant | None = None
    reopens_on: Day | None = None


class StatusContent(Input):
    """The content of the document `status`.

    `intake_messages` has one sentence for each mode in which requests are not simply taken.
    `alternatives` and `safety_resources` are `None` while it is not known whether there are any.
    """

    texts: Annotated[dict[ClinicState, StatusText], FewKeys] = Described(
        description="The words for each of the three states."
    )
    intake_messages: Annotated[dict[ConsultationMode, Paragraphs], FewKeys] = Described(
        description="One sentence for each of `waitlist`, `paused` and `closed`.",
    )
    closure: Closure = Described(
        default=Closure(), description="Where the records of a closed clinic are."
    )
    alternatives: list[Alternative] | None = Described(
        default=None,
        max_length=MAX_ITEMS,
        description="Other providers; `null` while it is not known whether there are any.",
    )
    safety_resources: list[SafetyResource] | None = Described(
        default=None,
        max_length=MAX_ITEMS,
        description="Help in a crisis; `null` while it is not known whether there is any.",
    )

    @field_validator("texts")
    @classmethod
    def _check_texts(cls, texts: dict[ClinicState, StatusText]) -> dict[ClinicState, StatusText]:
        if set(texts) != set(ClinicState):
            raise ValueError("one headline and message for each of the three states")
        return texts

    @field_validator("intake_messages")
    @classmethod
    def _check_messages(cls, messages: dict[ConsultationMode, str]) -> dict[ConsultationMode, str]:
        if set(messages) != set(ConsultationMode) - {ConsultationMode.OPEN}:
            raise ValueError("one sentence for each of `waitlist`, `paused` and `closed`")
        return messages
