"""The clinic's own questions on the form, and the check of an answer."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, WithJsonSchema
from pydantic_core import PydanticCustomError

from models.form_words import NO, YES
from models.values import (
    LINE_LENGTH,
    PARAGRAPHS_LENGTH,
    PLAIN_WORD,
    Input,
    Line,
    Paragraphs,
    no_control_characters,
    no_nul,
    read_day,
)

# A number as text, or an empty text.
NUMBER_PATTERN = "^(-?[0-9]{1,13}([.][0-9]{1,9})?)?$"
_NUMBER = re.compile(NUMBER_PATTERN)
# JavaScript and both databases have each whole number of this size exactly.
LARGEST_NUMBER = 10**12

Name = Annotated[str, Field(pattern=f"^{PLAIN_WORD.pattern}$")]
Value = Annotated[str, Field(pattern="^[a-z0-9_-]{1,40}$")]
Widget = Literal[
    "text", "email", "tel", "radio", "checkbox", "checkboxes", "select", "textarea", "number",
    "date",
]  # fmt: skip
InputMode = Literal["none", "text", "tel", "url", "email", "numeric", "decimal", "search"]
# A whole number stays one, so that a file is written as it was read.
Number = Annotated[
    StrictInt | StrictFloat,
    Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER),
    WithJsonSchema({"type": "number"}),
]


class Choice(Input):
    """A value that a person can choose, and its label."""

    value: Value = Field(description="The value that a request has.")
    label: Line = Field(description="Label of the choice.")


class QuestionType(StrEnum):
    """The type of an answer: one choice, several choices, yes or no, a text, a number or a day."""

    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"


class Question(Input):
    """A question of the clinic. Each type has its own limits (`LIMITS`)."""

    name: Name = Field(description="Name of the answer in `answers` of a request.")
    type: QuestionType = Field(description="Type of the answer.")
    label: Line = Field(description="The question.")
    help: Paragraphs | None = Field(default=None, description="Help below the question.")
    required: StrictBool = Field(
        default=False, description="Whether a request without an answer is refused."
    )
    choices: list[Choice] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="For `choice` and `choices`. For `yes_no`: other labels than the usual ones.",
    )
    max_length: StrictInt | None = Field(
        default=None, ge=1, description="For a text: its longest length in code points."
    )
    minimum: Number | None = Field(default=None, description="For a number: the lowest one.")
    maximum: Number | None = Field(default=None, description="For a number: the highest one.")
    whole: StrictBool | None = Field(
        default=None, description="For a number: whether it has no fraction."
    )
    autocomplete: Line | None = Field(
        default=None, description="Value of the HTML attribute `autocomplete`; `null` for none."
    )
    input_mode: InputMode | None = Field(
        default=None, description="Value of the HTML attribute `inputmode`; `null` for none."
    )
    widget: Widget | None = Field(
        default=None, description="Form control; `null` for the usual one of the type."
    )

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons for which a 422 can refuse an answer."""
        return (*(("required",) if self.required else ()), *_REASONS[self.type])

    @property
    def longest(self) -> int:
        """The most code points that a text may have."""
        return self.max_length or LONGEST_TEXTS[self.type]

    @property
    def lowest(self) -> float:
        return -LARGEST_NUMBER if self.minimum is None else self.minimum

    @property
    def highest(self) -> float:
        return LARGEST_NUMBER if self.maximum is None else self.maximum


LIMITS: dict[QuestionType, frozenset[str]] = {
    QuestionType.CHOICE: frozenset({"choices"}),
    QuestionType.CHOICES: frozenset({"choices"}),
    QuestionType.YES_NO: frozenset({"choices"}),
    QuestionType.SHORT_TEXT: frozenset({"max_length"}),
    QuestionType.LONG_TEXT: frozenset({"max_length"}),
    QuestionType.NUMBER: frozenset({"minimum", "maximum", "whole"}),
    QuestionType.DATE: frozenset(),
}
LONGEST_TEXTS = {
    QuestionType.SHORT_TEXT: LINE_LENGTH,
    QuestionType.LONG_TEXT: PARAGRAPHS_LENGTH,
}
_YES_AND_NO = (Choice(value="yes", label=YES), Choice(value="no", label=NO))
YES_NO_VALUES = [choice.value for choice in _YES_AND_NO]
_REASONS: dict[QuestionType, tuple[str, ...]] = {
    **dict.fromkeys(QuestionType, ("wrong_type", "invalid")),
    **dict.fromkeys(LONGEST_TEXTS, ("wrong_type", "too_long", "invalid")),
    QuestionType.NUMBER: ("wrong_type", "too_small", "too_large"),
}


def is_given(value: object) -> bool:
    """Whether a person gave this value: not `None`, an empty text or an empty list."""
    return value is not None and value != "" and value != []


def find_fault(question: Question, value: object) -> str | None:
    """The reason why a given value is no answer to the question; `None` if it is one."""
    values = [choice.value for choice in choices_of(question)]
    match question.type:
        case QuestionType.CHOICES:
            return _fault_of_choices(value, values)
        case QuestionType.NUMBER:
            return _fault_of_number(value, question)
    if not isinstance(value, str):
        return "wrong_type"
    if question.required and not value.strip():
        return "required"
    match question.type:
        case QuestionType.CHOICE | QuestionType.YES_NO:
            return None if value in values else "invalid"
        case QuestionType.DATE:
            return _fault_of_text(value, read_day)
        case QuestionType.SHORT_TEXT | QuestionType.LONG_TEXT if len(value) > question.longest:
            return "too_long"
        case QuestionType.SHORT_TEXT:
            return _fault_of_text(value, no_control_characters)
    return _fault_of_text(value, no_nul)


def choices_of(question: Question) -> Sequence[Choice]:
    """The choices of a question with their labels; none for a question without choices."""
    if question.type is QuestionType.YES_NO and not question.choices:
        return _YES_AND_NO
    return question.choices or ()


def _fault_of_text(value: str, check: Callable[[str], object]) -> str | None:
    try:
        check(value)
    except PydanticCustomError:
        return "invalid"
    return None


def _fault_of_choices(value: object, allowed: Sequence[str]) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "wrong_type"
    is_set = len(set(value)) == len(value)
    return None if is_set and set(value) <= set(allowed) else "invalid"


def _fault_of_number(value: object, question: Question) -> str | None:
    number = read_number(value)
    if number is None or (question.whole and not isinstance(number, int)):
        return "wrong_type"
    if number < question.lowest:
        return "too_small"
    return "too_large" if number > question.highest else None


def read_number(value: object) -> int | float | None:
    """The number that an answer is, also as text; `None` if it is none.

    An input of a web page and json-editor give a number as text.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else value
