"""The form for a consultation request, and its words."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field as Described
from pydantic import model_validator
from sqlmodel import Field, SQLModel

from models.consultation_request import ADDED_BY_CLIENT, ConsultationRequestCreate, RequestState
from models.status import IntakeReason
from models.values import ClinicState, Input, JSONColumn, Output, Text

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


class FieldWords(Input):
    # The label of a consent is its exact text.
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


class ConsultationFormCreate(Input):
    """The content file of the form: labels, consents, messages and next steps."""

    version: int = Described(ge=1)
    safety_notice: Text
    confirmation: Text
    consents: list[ConsentCreate] = Described(min_length=1, max_length=1)
    fields: dict[str, FieldWords]
    choices: dict[str, dict[str, Text]]
    messages: dict[str, Text]
    next_steps: dict[str, Text]

    @model_validator(mode="after")
    def _has_a_word_for_everything(self) -> "ConsultationFormCreate":
        model_fields = ConsultationRequestCreate.model_fields
        _same("fields", self.fields, set(model_fields) - ADDED_BY_CLIENT)
        unlabelled = {name: None for name, words in self.fields.items() if words.label is None}
        _same("consents", unlabelled, {consent.field for consent in self.consents})
        _same("choices", self.choices, set(_WITH_CHOICES))
        for name, labels in self.choices.items():
            _same(f"choices.{name}", labels, set(_choices(name)))
        _same("messages", self.messages, set(CODES))
        _same("next_steps", self.next_steps, {*RequestState, *NEXT_STEP_CLOSURES})
        return self


def _same(what: str, given: dict[str, Any], wanted: set[str]) -> None:
    missing, unknown = sorted(wanted - set(given)), sorted(set(given) - wanted)
    if missing or unknown:
        raise ValueError(f"{what}: missing {missing}, not known {unknown}")


def _choices(name: str) -> tuple[str, ...]:
    annotation = ConsultationRequestCreate.model_fields[name].annotation
    literals = [arg for arg in get_args(annotation) if arg is not type(None)]
    return tuple(literals if isinstance(literals[0], str) else get_args(literals[0]))


class ConsultationForm(SQLModel, table=True):
    """One version of the form; what a person agreed to stays on record."""

    __tablename__ = "consultation_form"

    version: int = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=JSONColumn)
    published_at: datetime

    @property
    def words(self) -> ConsultationFormCreate:
        return ConsultationFormCreate.model_validate(self.document)


class FieldUiPublic(Output):
    """How to show one field."""

    autocomplete: str | None = Described(description="HTML autofill token.")
    input_mode: str | None = Described(description="HTML `inputmode`.")
    widget: Literal["text", "email", "tel", "radio", "checkbox", "select", "textarea"] = Described(
        description="The control that fits it."
    )


class FormUiPublic(Output):
    """How to show the form."""

    order: list[str] = Described(description="The fields in the order to show them.")
    fields: dict[str, FieldUiPublic] = Described(description="A name from `order` each.")


class ConsentPublic(Output):
    """What a person agrees to by sending the form."""

    purpose: str = Described(description="What the consent is for.")
    field: str = Described(description="The field of the request that gives this consent.")
    version: int = Described(description="Raised with each change of its text.")
    text: str = Described(description="Exactly what is agreed to, and what is kept on record.")
    required: bool = Described(description="Whether a request without it is refused.")


class ConsultationFormPublic(Output):
    """The form and all of its words."""

    version: int = Described(description="Send it back as `form_version`.")
    accepting: bool = Described(description="Whether a request is taken now.")
    reason: IntakeReason | None = Described(
        description="Why requests are not simply taken; `null` when they are."
    )
    schema_: dict[str, Any] = Described(
        alias="schema",
        description="JSON Schema of the fields, in the dialect that was asked for. Render it with "
        "a form library as it is. `form_version` is not in it: add `version` of the form.",
    )
    ui: FormUiPublic = Described(description="Order of the fields and how to show each.")
    consents: list[ConsentPublic] = Described(description="What a person agrees to by sending it.")
    messages: dict[str, str] = Described(
        description="A sentence for a patient for each code that a 422 can carry."
    )
    safety_notice: str = Described(description="Show it with the form, always.")
    confirmation: str = Described(description="Show it once a request was accepted.")
    clinic_state: ClinicState = Described(description="The clinic's state as this was served.")
