"""Value types that several nouns share."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON

# Controls of the bidirectional algorithm (UAX #9): they can make a name read as another.
_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Of one input; each of these is a fault of its own.
MAX_UNKNOWN_FIELDS = 20


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


SLUG_PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
# One line of text as a person writes it, such as a name.
PlainLine = Annotated[
    str, Field(min_length=1), AfterValidator(no_control_characters), AfterValidator(not_blank)
]
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
    """What comes from outside: an unknown field is a fault."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _bound_unknown_fields(cls, data: Any) -> Any:
        # Building and reporting an error takes far longer than sending a field.
        if not isinstance(data, dict) or len(data) <= MAX_UNKNOWN_FIELDS:
            return data
        names = {field.alias or name for name, field in cls.model_fields.items()}
        more = [name for name in data if name not in names][MAX_UNKNOWN_FIELDS:]
        dropped = set(more)
        bounded = {name: value for name, value in data.items() if name not in dropped}
        return {**bounded, more[0]: MoreUnknownFields(len(more))} if more else data


class Output(BaseModel):
    """What is served: every field is always there, `null` when it is not known."""

    model_config = ConfigDict(from_attributes=True)


def utc_now() -> datetime:
    return datetime.now(UTC)
