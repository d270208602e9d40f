"""Value types that several nouns share."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON

# The control characters (categories Cc, Zl and Zp of Unicode), and those of bidirectional text
# (UAX #9), which can make one name look like another.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_INSTANT = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9.]{2,12})?(Z|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Both databases can store each time between these two, and Python can convert it to any time zone.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
LINE_LENGTH = 200
PARAGRAPHS_LENGTH = 2000
MARKDOWN_LENGTH = 60_000
ADDRESS_LENGTH = 2000
# The most items in a list of an input, so that a body cannot have very many faults.
MAX_ITEMS = 200

# So many unknown fields of one input are reported one by one; the rest are reported together.
MAX_UNKNOWN_FIELDS = 20
# Only names of this form are repeated in an answer. Others may contain what a person typed.
PLAIN_WORD = re.compile("[a-z_]{1,40}")


def fault(reason: str) -> PydanticCustomError:
    """A validation error; `reason` is the second part of its code, `<field>.<reason>`."""
    return PydanticCustomError(reason, "invalid")


def no_control_characters(value: str) -> str:
    if _CONTROL.search(value):
        raise fault("invalid")
    return value


def no_control_characters_but_line_breaks(value: str) -> str:
    no_control_characters(value.replace("\r\n", "").replace("\n", ""))
    return value


def _normalize_markdown(value: str) -> str:
    """Ends lines with LF, and removes blank lines and spaces at both ends."""
    text = value.replace("\r\n", "\n").strip()
    no_control_characters(text.replace("\n", "").replace("\t", ""))
    return not_blank(text)


def not_blank(value: str) -> str:
    if not value.strip():
        raise fault("required")
    return value


def no_nul(value: str) -> str:
    if "\0" in value:
        raise fault("invalid")
    return value


def is_within_bounds(instant: datetime) -> bool:
    """Whether a time with an offset is between `EARLIEST` and `LATEST`."""
    return EARLIEST <= instant < LATEST


def _read_instant(value: object) -> datetime:
    # Pydantic alone would also accept a number, as seconds since 1970.
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise PydanticCustomError("invalid", "must have the form 2030-01-31T09:00:00Z")


def read_day(value: object) -> date:
    """A day of the form YYYY-MM-DD. Raises `PydanticCustomError`."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise fault("invalid")


def _in_utc(instant: datetime) -> datetime:
    if not is_within_bounds(instant):
        raise fault("invalid")
    return instant.astimezone(UTC)


def _check_web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an http or https address")
    return value


def _few_keys(value: object) -> object:
    # Pydantic itself counts the keys only after it has reported each unknown one.
    if isinstance(value, dict) and len(value) > MAX_ITEMS:
        raise fault("too_long")
    return value


# For a field that is an object with free or listed keys.
FewKeys = BeforeValidator(_few_keys)
SLUG_PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
# One line of text, such as a name, without control characters.
PlainLine = Annotated[
    str, Field(min_length=1), AfterValidator(no_control_characters), AfterValidator(not_blank)
]
# The same with a maximum length, for input by staff.
Line = Annotated[PlainLine, Field(max_length=LINE_LENGTH)]
# Text of several lines, for input by staff. A line ends with LF or CRLF.
Paragraphs = Annotated[
    str,
    Field(min_length=1, max_length=PARAGRAPHS_LENGTH),
    AfterValidator(no_control_characters_but_line_breaks),
    AfterValidator(not_blank),
]
# A CommonMark text.
MarkdownText = Annotated[
    str, Field(min_length=1, max_length=MARKDOWN_LENGTH), AfterValidator(_normalize_markdown)
]
# A language tag of BCP 47, in its usual spelling, such as `en-US`.
LOCALE_PATTERN = "^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?$"
Locale = Annotated[str, Field(pattern=LOCALE_PATTERN)]
# A time of RFC 3339 with an offset, converted to UTC.
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_read_instant, json_schema_input_type=datetime),
    AfterValidator(_in_utc),
]
Day = Annotated[date, BeforeValidator(read_day)]
WebAddress = Annotated[
    str,
    Field(max_length=ADDRESS_LENGTH),
    AfterValidator(no_control_characters),
    AfterValidator(_check_web_address),
]
# Stores `None` as SQL NULL and not as JSON `null`, so that IS NULL finds it.
JSONColumn = JSON(none_as_null=True)


class ClinicState(StrEnum):
    """Whether the clinic is open."""

    OPEN = "open"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


class ConsultationMode(StrEnum):
    """How the clinic handles consultation requests."""

    OPEN = "open"
    WAITLIST = "waitlist"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True)
class MoreUnknownFields:
    """Replaces the unknown fields of an input that are not reported one by one."""

    count: int


@dataclass
class BodyFaults:
    """The faults of a body. Each is a JSON Pointer and a code.

    `more_unknown` has the number of unknown fields that are not among them, by the object that has
    them; `body` is the body itself.
    """

    found: list[tuple[str, str]] = field(default_factory=list)
    more_unknown: dict[str, int] = field(default_factory=dict)


class Input(BaseModel):
    """Base class of all inputs. An unknown field is a fault.

    An empty string means that the field is not given, because form libraries send an empty string
    for a field that the person did not fill in.
    """

    # Where an answer contains an input, as the content of a document, all its keys are present.
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)

    # Fields in which an empty string is a value.
    fields_with_empty_value: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        bounded = _bounded(data, known)
        # Only known fields are dropped: an unknown field is a fault even if it is empty.
        droppable = known - cls.fields_with_empty_value
        return {name: v for name, v in bounded.items() if v != "" or name not in droppable}


def _bounded(data: dict[str, Any], known: set[str]) -> dict[str, Any]:
    # The service spends far more time on the error of a field than a client on sending the field.
    if len(data) <= MAX_UNKNOWN_FIELDS:
        return data
    more = [name for name in data if name not in known][MAX_UNKNOWN_FIELDS:]
    if not more:
        return data
    dropped = set(more)
    kept = {name: value for name, value in data.items() if name not in dropped}
    return {**kept, more[0]: MoreUnknownFields(len(more))}


class Output(BaseModel):
    """Base class of all outputs. Every field is always present; it is `null` if it is not known."""

    model_config = ConfigDict(from_attributes=True)


def utc_now() -> datetime:
    return datetime.now(UTC)
