"""The form for a consultation request, and its texts."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import Field as Described
from pydantic import model_validator

from models.consultation_request import ADDED_BY_CLIENT, ConsultationRequestCreate, RequestState
from models.status import IntakeReason
from models.values import ClinicState, Input, Output, Text

_WITH_CHOICES = ("preferred_contact", "best_time", "topic")
_REASONS = {
    "name": ("required", "wrong_type", "too_long", "invalid"),
    "email": ("required", "wrong_type", "too_long", "invalid"),
    "phone": ("required", "wrong_type", "too_long", "invalid"),
    "preferred_contact": ("wrong_type", "invalid"),
    "may_leave_voicemail": ("wrong_type",),
    "best_time": ("wrong_type", "invalid"),
    "topic": ("required", "wrong_type", "invalid"),
    "message": ("wrong_type", "too_long", "invalid"),
    "consent_to_contact": ("required", "wrong_type"),
    "form_version": ("required", "wrong_type", "outdated"),
    "body": ("wrong_type", "unknown_field"),
}
CODES = frozenset(f"{field}.{reason}" for field, reasons in _REASONS.items() for reason in reasons)

NEXT_STEP_CLOSURES = ("clinic_temporarily_closed", "clinic_permanently_closed")


class FieldTexts(Input):
    # `None` for a consent only: its label is the text of the consent.
    label: Text | None = None
    help: Text | None = None
    autocomplete: Text | None = None
    input_mode: Text | None = None
    widget: Literal["text", "email", "tel", "radio", "checkbox", "select", "textarea"]


class ConsentCreate(Input):
    purpose: Text
    field: Literal["consent_to_contact"]
    version: int = Described(ge=1)
    required: Literal[True]
    text: Text


class FormContent(Input):
    """The content file of the form: labels, consents, messages and next steps."""

    safety_notice: Text
    confirmation: Text
    consents: list[ConsentCreate] = Described(min_length=1, max_length=1)
    fields: dict[str, FieldTexts]
    choices: dict[str, dict[str, Text]]
    messages: dict[str, Text]
    next_steps: dict[str, Text]

    @model_validator(mode="after")
    def _check_completeness(self) -> "FormContent":
        model_fields = ConsultationRequestCreate.model_fields
        _require_keys("fields", self.fields, set(model_fields) - ADDED_BY_CLIENT)
        unlabelled = {name: None for name, texts in self.fields.items() if texts.label is None}
        _require_keys("consents", unlabelled, {consent.field for consent in self.consents})
        _require_keys("choices", self.choices, set(_WITH_CHOICES))
        for name, labels in self.choices.items():
            _require_keys(f"choices.{name}", labels, set(_choices(name)))
        _require_keys("messages", self.messages, set(CODES))
        _require_keys("next_steps", self.next_steps, {*RequestState, *NEXT_STEP_CLOSURES})
        return self


def _require_keys(name: str, given: dict[str, Any], wanted: set[str]) -> None:
    missing, unknown = sorted(wanted - set(given)), sorted(set(given) - wanted)
    if missing or unknown:
        raise ValueError(f"{name}: missing {missing}, unknown {unknown}")


def _choices(name: str) -> tuple[str, ...]:
    annotation = ConsultationRequestCreate.model_fields[name].annotation
    literals = [arg for arg in get_args(annotation) if arg is not type(None)]
    return tuple(literals if isinstance(literals[0], str) else get_args(literals[0]))


@dataclass(frozen=True)
class FormVersion:
    """One published version of the form. `version` is the number of its revision."""

    version: int
    content: FormContent


class FieldUiPublic(Output):
    """How to show one field."""

    autocomplete: str | None = Described(
        description="Value of the HTML attribute `autocomplete`; `null` for none."
    )
    input_mode: str | None = Described(
        description="Value of the HTML attribute `inputmode`; `null` for none."
    )
    widget: Literal["text", "email", "tel", "radio", "checkbox", "select", "textarea"] = Described(
        description="Form control that fits the field."
    )


class FormUiPublic(Output):
    """How to show the form."""

    order: list[str] = Described(description="Names of the fields, in the order to show them.")
    fields: dict[str, FieldUiPublic] = Described(
        description="How to show each field, by the names in `order`."
    )


class ConsentPublic(Output):
    """A consent that a person gives by sending the form."""

    purpose: str = Described(description="Purpose of the consent.")
    field: str = Described(description="The field of the request that gives this consent.")
    version: int = Described(description="Version of the text. Each change of the text raises it.")
    text: str = Described(
        description="The exact text that the person agrees to. The service stores it as a record."
    )
    required: bool = Described(description="Whether a request without it is refused.")


class ConsultationFormPublic(Output):
    """The form with all its texts."""

    version: int = Described(description="Version of the form. Send it back as `form_version`.")
    accepting: bool = Described(description="Whether the clinic accepts requests now.")
    reason: IntakeReason | None = Described(
        description="Why requests go to a waiting list or are refused; `null` if neither applies."
    )
    schema_: dict[str, Any] = Described(
        alias="schema",
        description="JSON Schema of the fields, in the requested dialect. A form library can "
        "render it without changes. It does not contain `form_version`: add that field to the "
        "request yourself, with the value of `version`.",
    )
    intake_message: str | None = Described(
        description="One sentence for patients about how requests are taken now; `null` if they "
        "are simply taken."
    )
    ui: FormUiPublic = Described(description="Order of the fields, and how to show each field.")
    consents: list[ConsentPublic] = Described(
        description="The consents that a person gives by sending the form."
    )
    messages: dict[str, str] = Described(
        description="For each error code of a 422: a sentence to show to the patient."
    )
    safety_notice: str = Described(description="Text that must always be shown with the form.")
    confirmation: str = Described(description="Text to show after a request was accepted.")
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    privacy_policy_url: str | None = Described(
        description="URL of the clinic's privacy policy; `null` if it is not known."
    )
    locale: str = Described(description="Language of the texts, a BCP 47 tag.")
