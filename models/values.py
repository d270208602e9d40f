"""Value types that several nouns share."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
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

# Controls of the bidirectional algorithm (UAX #9): they can make a name read as another.
_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INSTANT = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9.]{2,12})?(Z|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Every instant between them can be converted to every time zone, and be stored by both databases.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
LINE_LENGTH = 200
PARAGRAPHS_LENGTH = 2000

# Of one input; each of these is a fault of its own.
MAX_UNKNOWN_FIELDS = 20


def fault(reason: str) -> PydanticCustomError:
    """A fault whose type is the second half of its code, `<field>.<reason>`."""
    return PydanticCustomError(reason, "invalid")


def no_control_characters(value: str) -> str:
    if any(c in _BIDI_CONTROLS or unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
        raise fault("invalid")
    return value


def no_control_characters_but_line_breaks(value: str) -> str:
    no_control_characters(value.replace("\r\n", "").replace("\n", ""))
    return value


def not_blank(value: str) -> str:
    if not value.strip():
        raise fault("required")
    return value


def no_nul(value: str) -> str:
    if "\0" in value:
        raise fault("invalid")
    return value


def is_within_bounds(instant: datetime) -> bool:
    """Whether it can be computed with; `instant` has an offset."""
    return EARLIEST <= instant < LATEST


def _read_instant(value: object) -> datetime:
    # Pydantic would take a number for seconds since 1970.
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise PydanticCustomError("invalid", "must have the form 2030-01-31T09:00:00Z")


def _read_day(value: object) -> date:
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


def _is_web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an http or https address")
    return value


SLUG_PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
# One line of text as a person writes it, such as a name.
PlainLine = Annotated[
    str, Field(min_length=1), AfterValidator(no_control_characters), AfterValidator(not_blank)
]
# The same with a limit, for what staff enters.
Line = Annotated[PlainLine, Field(max_length=LINE_LENGTH)]
# Text of several lines as staff enters it; a line ends with LF or CRLF.
Paragraphs = Annotated[
    str,
    Field(min_length=1, max_length=PARAGRAPHS_LENGTH),
    AfterValidator(no_control_characters_but_line_breaks),
    AfterValidator(not_blank),
]
# RFC 3339 with an offset; kept in UTC.
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_read_instant, json_schema_input_type=datetime),
    AfterValidator(_in_utc),
]
Day = Annotated[date, BeforeValidator(_read_day)]
WebAddress = Annotated[str, AfterValidator(_is_web_address)]
# A Python None is kept as SQL NULL, so that IS NULL means what it says.
JSONColumn = JSON(none_as_null=True)


class ClinicState(StrEnum):
    """Whether the clinic is open."""

    OPEN = "open"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


@dataclass(frozen=True)
class MoreUnknownFields:
    """Stands for the unknown fields of an input that are not reported one by one."""

    count: int


class Input(BaseModel):
    """What comes from outside: an unknown field is a fault, and an empty string is not given.

    Form libraries send an empty string for a field that nobody filled in.
    """

    model_config = ConfigDict(extra="forbid")

    # Fields in which an empty string has a meaning of its own.
    fields_with_empty_value: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        bounded = _bounded(data, {field.alias or n for n, field in cls.model_fields.items()})
        # An unknown field stays, so that it is a fault whatever its value is.
        left_out = cls.model_fields.keys() - cls.fields_with_empty_value
        return {name: v for name, v in bounded.items() if v != "" or name not in left_out}


def _bounded(data: dict[str, Any], known: set[str]) -> dict[str, Any]:
    # Building and reporting an error takes far longer than sending a field.
    if len(data) <= MAX_UNKNOWN_FIELDS:
        return data
    more = [name for name in data if name not in known][MAX_UNKNOWN_FIELDS:]
    if not more:
        return data
    dropped = set(more)
    kept = {name: value for name, value in data.items() if name not in dropped}
    return {**kept, more[0]: MoreUnknownFields(len(more))}


class Output(BaseModel):
    """What is served: every field is always there, `null` when it is not known."""

    model_config = ConfigDict(from_attributes=True)


def utc_now() -> datetime:
    return datetime.now(UTC)
