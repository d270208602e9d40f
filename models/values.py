"""Value types that several nouns share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import JSON


def _is_web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an http or https address")
    return value


SLUG_PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(_is_web_address)]

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
