"""The clinic: its name, location, contact, opening hours and treatments."""

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
    """The content file of the clinic."""

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
    def _check_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as fault:
            raise ValueError("must be a name of the IANA time zone database") from fault
        return value


class Clinic(SQLModel, table=True):
    """The clinic's row; the table has only this one."""

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
    """How to reach the clinic. A field is `null` if it is not known."""

    phone: str | None = Described(description="Telephone number.")
    email: str | None = Described(description="E-mail address.")
    website: str | None = Described(description="URL of the clinic's own website.")
    address: str | None = Described(description="Street address, without the city.")


class OpeningHoursPublic(Output):
    """A period in which the clinic is open. One day may have several periods."""

    day: Day = Described(description="Day of the week.")
    opens: time = Described(description="Opening time, in the clinic's time zone.")
    closes: time = Described(description="Closing time, in the clinic's time zone.")


class TreatmentPublic(Output):
    """A treatment that the clinic's texts describe. It is offered only while the clinic is open."""

    slug: str = Described(description="Identifier for use in URLs. It does not change.")
    name: str = Described(description="Name of the treatment.")
    summary: str = Described(description="One sentence about the treatment.")


class ConditionPublic(Output):
    """A medical condition for which the treatments are used."""

    slug: str = Described(description="Identifier for use in URLs. It does not change.")
    name: str = Described(description="Name of the condition.")


class ClinicPublic(Output):
    """The clinic. A field is `null` if it is not known."""

    name: str | None = Described(description="Name of the clinic; `null` if it is not known.")
    locality: str = Described(description="City.")
    region: str = Described(description="State or province.")
    country: str = Described(description="Country code, ISO 3166-1 alpha-2.")
    time_zone: str = Described(description="Name in the IANA time zone database.")
    contact: ContactPublic = Described(description="How to reach the clinic.")
    opening_hours: list[OpeningHoursPublic] | None = Described(
        description="Opening hours; `null` if they are not known."
    )
    treatments: list[TreatmentPublic] = Described(
        description="Treatments that the clinic's texts describe."
    )
    conditions: list[ConditionPublic] = Described(
        description="Medical conditions for which the treatments are used."
    )
