"""The clinic itself."""

from datetime import time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field as Described
from pydantic import field_validator
from sqlmodel import Field, SQLModel

from models.values import Input, JSONColumn, Output, Slug, Text, WebAddress

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class ContactCreate(Input):
    phone: Text | None
    email: Text | None
    website: WebAddress | None
    address: Text | None


class OpeningHoursCreate(Input):
    day: Day
    opens: time
    closes: time


class TreatmentCreate(Input):
    slug: Slug
    name: Text
    summary: Text


class ConditionCreate(Input):
    slug: Slug
    name: Text


class ClinicCreate(Input):
    """The content file about the clinic."""

    name: Text | None
    locality: Text
    region: Text
    country: str = Described(pattern="^[A-Z]{2}$")
    time_zone: str
    locale: Text
    contact: ContactCreate
    opening_hours: list[OpeningHoursCreate] | None
    treatments: list[TreatmentCreate]
    conditions: list[ConditionCreate]

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as fault:
            raise ValueError("must be a name of the IANA time zone database") from fault
        return value


class Clinic(SQLModel, table=True):
    """The one row about the clinic."""

    id: int = Field(default=1, primary_key=True)
    name: str | None
    locality: str
    region: str
    country: str
    time_zone: str
    locale: str
    contact: dict[str, str | None] = Field(sa_type=JSONColumn)
    opening_hours: list[dict[str, str]] | None = Field(sa_type=JSONColumn)
    treatments: list[dict[str, str]] = Field(sa_type=JSONColumn)
    conditions: list[dict[str, str]] = Field(sa_type=JSONColumn)


class ContactPublic(Output):
    """How to reach the clinic; each is `null` when it is not known."""

    phone: str | None = Described(description="Telephone number.")
    email: str | None = Described(description="E-mail address.")
    website: str | None = Described(description="Address of the clinic's own site.")
    address: str | None = Described(description="Street address, without the city.")


class OpeningHoursPublic(Output):
    """One opening of one day; a day may have several."""

    day: Day = Described(description="Day of the week.")
    opens: time = Described(description="In the clinic's time zone.")
    closes: time = Described(description="In the clinic's time zone.")


class TreatmentPublic(Output):
    """What the clinic's texts are about; offered only while the clinic is open."""

    slug: str = Described(description="Name for use in addresses; it does not change.")
    name: str = Described(description="What it is called.")
    summary: str = Described(description="One sentence about it.")


class ConditionPublic(Output):
    """What the treatments are for."""

    slug: str = Described(description="Name for use in addresses; it does not change.")
    name: str = Described(description="What it is called.")


class ClinicPublic(Output):
    """The clinic, as far as it is known."""

    name: str | None = Described(description="`null` when it is not known.")
    locality: str = Described(description="City.")
    region: str = Described(description="State or province.")
    country: str = Described(description="ISO 3166-1 alpha-2.")
    time_zone: str = Described(description="A name of the IANA time zone database.")
    contact: ContactPublic = Described(description="How to reach it.")
    opening_hours: list[OpeningHoursPublic] | None = Described(
        description="`null` when they are not known."
    )
    treatments: list[TreatmentPublic] = Described(description="What its texts are about.")
    conditions: list[ConditionPublic] = Described(description="What the treatments are for.")
