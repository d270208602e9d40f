"""The clinic's form for a consultation request: its content, and one version of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

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
from models.values import MAX_ITEMS, FewKeys, Input, Line, Paragraphs

_STORED = "stored"


class FormField(Input):
    """How a form asks for one field of a request.

    `choices` are for a field with fixed values: those that the form offers.
    """

    label: Line = Described(description="Label of the field.")
    help: Paragraphs | None = Described(default=None, description="Help below the field.")
    required: StrictBool = Described(
        default=False, description="Whether a request without it is refused."
    )
    choices: list[Choice] | None = Described(
        default=None,
        min_length=1,
        max_length=MAX_ITEMS,
        description="Only for a field with fixed values: those that the form offers.",
    )
    autocomplete: Line | None = Described(
        default=None, description="Value of the HTML attribute `autocomplete`; `null` for none."
    )
    input_mode: InputMode | None = Described(
        default=None, description="Value of the HTML attribute `inputmode`; `null` for none."
    )
    widget: Widget = Described(description="Form control that fits the field.")


class FormConsent(Input):
    """A consent for which a form asks. Its label is `text`. A new text needs a new `version`."""

    purpose: Line = Described(description="Purpose of the consent.")
    field: Name = Described(description="The field of the request that gives the consent.")
    version: StrictInt = Described(ge=1, description="Version of the text.")
    text: Paragraphs = Described(description="The exact text that a person agrees to.")
    help: Paragraphs | None = Described(default=None, description="Help below the consent.")
    required: StrictBool = Described(description="Whether a request without it is refused.")


class FormContent(Input):
    """The content of the document `form`.

    `fields` has the fields that the form asks for, in their order on the form. The questions come
    after them, and the consents last. `messages` has a sentence for each code of a 422;
    `models/form_words.py` has defaults for some.
    """

    safety_notice: Paragraphs = Described(description="Text that is always shown with the form.")
    confirmation: Paragraphs = Described(description="Text to show after a request was accepted.")
    fields: Annotated[dict[str, FormField], FewKeys] = Described(
        description="The fields that the form asks for, in their order on the form."
    )
    topics: list[Choice] = Described(
        min_length=1, max_length=100, description="What a person may ask about."
    )
    questions: list[Question] = Described(
        default=[], max_length=50, description="The clinic's own questions."
    )
    consents: list[FormConsent] = Described(
        min_length=1, max_length=20, description="The first is the consent to contact the person."
    )
    messages: Annotated[dict[str, Paragraphs], FewKeys] = Described(
        description="For each error code of a 422: a sentence to show to the patient."
    )
    next_steps: Annotated[dict[str, Paragraphs], FewKeys] = Described(
        description="For each state of a request: what happens next."
    )

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
