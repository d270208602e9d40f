"""Value types that several nouns share."""

import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON

# Controls of the bidirectional algorithm (UAX #9): they can make a name read as another.
_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# Every instant between them can be converted to every time zone, and be stored by both databases.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def fault(reason: str) -> PydanticCustomError:
    """A fault whose type is the second half of its code, `<field>.<reason>`."""
    return PydanticCustomError(reason, "invalid")


def no_control_characters(value: str) -> str:
    if any(c in _BIDI_CONTROLS or unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
        raise fault("invalid")
    return value


def not_blank(value: str) -> str:
    if not value.strip():
        raise fault("required")
    return value


def no_nul(value: str) -> str:
    if "\0" in value:
        raise fault("invalid")
    return value


def _is_web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an http or https address")
    return value


def _is_written_as_instant(value: object) -> object:
    # The parser would take a number of seconds too, as a number or in digits.
    is_text = isinstance(value, str) and _RFC_3339.fullmatch(value)
    if not is_text and not isinstance(value, datetime):
        raise PydanticCustomError("invalid", "must have the form 2030-01-31T09:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise fault("invalid")
    return value.astimezone(UTC)


SLUG_PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
# One line of text as a person writes it, such as a name.
PlainLine = Annotated[
    str, Field(min_length=1), AfterValidator(no_control_characters), AfterValidator(not_blank)
]
WebAddress = Annotated[str, AfterValidator(_is_web_address)]
# An instant with its offset, kept in UTC.
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_is_written_as_instant, json_schema_input_type=datetime),
    AfterValidator(_in_utc),
]

# A Python None is kept as SQL NULL, so that IS NULL means what it says.
JSONColumn = JSON(none_as_null=True)


class ClinicState(StrEnum):
    """Whether the clinic is open."""

    OPEN = "open"
    TEMPORARILY_CLOSED = "temporarily_closed"
    PERMANENTLY_CLOSED = "permanently_closed"


class Input(BaseModel):
    """What comes from outside: an unknown field is a fault."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """What is served: every field is always there, `null` when it is not known."""

    model_config = ConfigDict(from_attributes=True)


def utc_now() -> datetime:
    return datetime.now(UTC)
