"""The words for each state of the clinic, and contacts for other help."""

from pydantic import field_validator

from models.values import (
    ClinicState,
    ConsultationMode,
    Day,
    Input,
    Instant,
    Line,
    Paragraphs,
    WebAddress,
)


class StatusText(Input):
    headline: Line
    message: Paragraphs


class Closure(Input):
    """Where the records of a closed clinic are. A field is `None` if it is not known."""

    records_contact: Paragraphs | None = None
    records_url: WebAddress | None = None
    note: Paragraphs | None = None


class Alternative(Input):
    name: Line
    url: WebAddress | None = None
    note: Paragraphs | None = None


class SafetyResource(Input):
    name: Line
    contact: Line
    note: Paragraphs | None = None


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

    texts: dict[ClinicState, StatusText]
    intake_messages: dict[ConsultationMode, Paragraphs]
    closure: Closure = Closure()
    alternatives: list[Alternative] | None = None
    safety_resources: list[SafetyResource] | None = None

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
