"""The clinic's form for a consultation request: its content, and one version of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field as Described
from pydantic import (
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.form_checks import find_content_faults
from models.form_fields import ALWAYS_REQUIRED, CONTACTS
from models.form_questions import Choice, InputMode, Name, Question, Widget
from models.values import Input, Line, Paragraphs

_STORED = "stored"


class FormField(Input):
    """How a form asks for one field of a request.

    `choices` are for a field with fixed values: those that the form offers.
    """

    label: Line
    help: Paragraphs | None = None
    required: StrictBool = False
    choices: list[Choice] | None = Described(default=None, min_length=1)
    autocomplete: Line | None = None
    input_mode: InputMode | None = None
    widget: Widget


class FormConsent(Input):
    """A consent for which a form asks. Its label is `text`. A new text needs a new `version`."""

    purpose: Line
    field: Name
    version: StrictInt = Described(ge=1)
    text: Paragraphs
    help: Paragraphs | None = None
    required: StrictBool


class FormContent(Input):
    """The content of the document `form`.

    `fields` has the fields that the form asks for, in their order on the form. The questions come
    after them, and the consents last. `messages` has a sentence for each code of a 422;
    `models/form_words.py` has defaults for some.
    """

    safety_notice: Paragraphs
    confirmation: Paragraphs
    fields: dict[str, FormField]
    topics: list[Choice] = Described(min_length=1, max_length=100)
    questions: list[Question] = Described(default=[], max_length=50)
    consents: list[FormConsent] = Described(min_length=1, max_length=20)
    messages: dict[str, Paragraphs]
    next_steps: dict[str, Paragraphs]

    @classmethod
    def of_stored(cls, document: Mapping[str, Any]) -> "FormContent":
        """The content of a stored document, without the checks across fields.

        Another release can have more of these checks, for example another reserved name.
        """
        return cls.model_validate(document, context=_STORED)

    @model_validator(mode="wrap")
    @classmethod
    def _check_across_fields(
        cls, data: Any, handler: ModelWrapValidatorHandler["FormContent"], info: ValidationInfo
    ) -> "FormContent":
        # An after-validator does not run after a fault of a field, but all faults must be reported.
        is_checked = isinstance(data, dict) and info.context != _STORED
        faults = list(find_content_faults(data)) if is_checked else []
        try:
            content = handler(data)
        except ValidationError as error:
            faults = [*_details(error), *faults]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return content

    @property
    def required_fields(self) -> set[str]:
        """The fields that each request must have. Of two contacts one can be enough."""
        required = {name for name, field in self.fields.items() if field.required}
        only_contact = self.contacts if len(self.contacts) == 1 else []
        return required | {*ALWAYS_REQUIRED, *only_contact}

    @property
    def contacts(self) -> list[str]:
        """The fields of which at least one must be given."""
        return [name for name in CONTACTS if name in self.fields]

    @property
    def further_consents(self) -> list[FormConsent]:
        """All consents but `consent_to_contact`, which is the first."""
        return self.consents[1:]

    def choices(self) -> Iterator[tuple[str, list[Choice]]]:
        """The fields with choices, and the choices of each."""
        yield "topic", self.topics
        for name, field in self.fields.items():
            if field.choices:
                yield name, field.choices


def _details(error: ValidationError) -> list[InitErrorDetails]:
    return [
        InitErrorDetails(
            type=PydanticCustomError(found["type"], found["msg"]),
            loc=found["loc"],
            input=found["input"],
        )
        for found in error.errors(include_url=False, include_context=False)
    ]


@dataclass(frozen=True)
class FormVersion:
    """One published version of the form. `version` is the number of its revision."""

    version: int
    content: FormContent
