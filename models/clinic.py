"""The clinic: its name, location, contact, opening hours and treatments."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, field_validator, model_validator
from pydantic import Field as Described

from models.notice import NoticePublic
from models.opening_hours import SpecialDays, Weekday, WeeklyHours, check_hours_together
from models.texts import without_duplicates
from models.values import (
    MAX_ITEMS,
    ClinicState,
    Input,
    Line,
    Locale,
    Output,
    Slug,
    WebAddress,
)


class _WithSlug(Protocol):
    slug: str


S = TypeVar("S", bound=Sequence[_WithSlug])


def _check_slugs(items: S) -> S:
    without_duplicates([item.slug for item in items])
    return items


class Contact(Input):
    """How to reach the clinic. A field is `None` if it is not known."""

    phone: Line | None = Described(default=None, description="Telephone number.")
    email: Line | None = Described(default=None, description="E-mail address.")
    website: WebAddress | None = Described(
        default=None, description="URL of the clinic's own website."
    )
    address: Line | None = Described(default=None, description="Street address, without the city.")


class Treatment(Input):
    """A treatment that the clinic's texts describe."""

    slug: Slug = Described(description="Identifier for use in URLs.")
    name: Line = Described(description="Name of the treatment.")
    summary: Line = Described(description="One sentence about the treatment.")


class Condition(Input):
    """A medical condition for which the treatments are used."""

    slug: Slug = Described(description="Identifier for use in URLs.")
    name: Line = Described(description="Name of the condition.")


class Topic(Input):
    """A topic of FAQs."""

    slug: Slug = Described(description="Identifier, the value of the parameter `topic`.")
    name: Line = Described(description="Name to show.")


class ClinicContent(Input):
    """The content of the document `clinic`. A field is `None` if it is not known.

    The first of `locales` is the default one.
    """

    name: Line | None = Described(
        default=None, description="Name of the clinic; `null` if it is not known."
    )
    locality: Line = Described(description="City.")
    region: Line = Described(description="State or province.")
    country: str = Described(pattern="^[A-Z]{2}$", description="Country code, ISO 3166-1 alpha-2.")
    time_zone: Line = Described(description="Name in the IANA time zone database.")
    locales: Annotated[
        list[Locale],
        Described(min_length=1, max_length=MAX_ITEMS),
        AfterValidator(without_duplicates),
    ] = Described(
        description="Languages of the clinic, as BCP 47 tags. The first is the default one."
    )
    contact: Contact = Described(default=Contact(), description="How to reach the clinic.")
    privacy_policy_url: WebAddress | None = Described(
        default=None, description="URL of the clinic's privacy policy; `null` if it is not known."
    )
    opening_hours: WeeklyHours | None = Described(
        default=None, description="Opening hours; `null` if they are not known."
    )
    special_hours: SpecialDays | None = Described(
        default=None, description="Hours of single days; `null` for none."
    )
    treatments: Annotated[
        list[Treatment], Described(max_length=MAX_ITEMS), AfterValidator(_check_slugs)
    ] = Described(default=[], description="Treatments that the texts describe.")
    conditions: Annotated[
        list[Condition], Described(max_length=MAX_ITEMS), AfterValidator(_check_slugs)
    ] = Described(default=[], description="Conditions that the treatments are for.")
    faq_topics: Annotated[
        list[Topic], Described(max_length=MAX_ITEMS), AfterValidator(_check_slugs)
    ] = Described(default=[], description="Topics of FAQs, in their order.")

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as fault:
            raise ValueError("must be a name of the IANA time zone database") from fault
        return value

    @model_validator(mode="after")
    def _check_hours(self) -> "ClinicContent":
        check_hours_together(self.opening_hours, self.special_hours)
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class ContactPublic(Output):
    """How to reach the clinic. A field is `null` if it is not known."""

    phone: str | None = Described(description="Telephone number.")
    email: str | None = Described(description="E-mail address.")
    website: str | None = Described(description="URL of the clinic's own website.")
    address: str | None = Described(description="Street address, without the city.")


class OpeningHoursPublic(Output):
    """A period in which the clinic is open. One day may have several periods."""

    day: Weekday = Described(description="Day of the week.")
    opens: time = Described(description="Opening time, in the clinic's time zone.")
    closes: time = Described(description="Closing time, in the clinic's time zone.")
    closes_next_day: bool = Described(
        description="Whether `closes` is on the next day. The period then ends after midnight."
    )


class SpecialHoursPublic(Output):
    """A period in which the clinic is open on one day, for example on a holiday.

    All periods of one day together replace the usual ones.
    """

    on: date = Described(description="The day.")
    opens: time | None = Described(description="Opening time; `null` if the clinic is closed.")
    closes: time | None = Described(description="Closing time; `null` if the clinic is closed.")
    closes_next_day: bool = Described(description="Whether `closes` is on the next day.")
    closed: bool = Described(
        description="Whether no opening begins on this day. One that began the evening before "
        "still runs to its end."
    )
    note: str | None = Described(description="For example the name of the holiday.")


class OpeningPublic(Output):
    """One opening of the clinic."""

    opens_at: datetime = Described(description="When it begins or began.")
    closes_at: datetime = Described(description="When it ends.")


class TreatmentPublic(Output):
    """A treatment that the clinic's texts describe. It is offered only while the clinic is open."""

    slug: str = Described(description="Identifier for use in URLs. It does not change.")
    name: str = Described(description="Name of the treatment.")
    summary: str = Described(description="One sentence about the treatment.")


class ConditionPublic(Output):
    """A medical condition for which the treatments are used."""

    slug: str = Described(description="Identifier for use in URLs. It does not change.")
    name: str = Described(description="Name of the condition.")


class TopicPublic(Output):
    """A topic of FAQs."""

    slug: str = Described(description="Identifier, the value of the parameter `topic`.")
    name: str = Described(description="Name to show.")


class ClinicPublic(Output):
    """The clinic. A field is `null` if it is not known."""

    name: str | None = Described(description="Name of the clinic; `null` if it is not known.")
    locality: str = Described(description="City.")
    region: str = Described(description="State or province.")
    country: str = Described(description="Country code, ISO 3166-1 alpha-2.")
    time_zone: str = Described(description="Name in the IANA time zone database.")
    contact: ContactPublic = Described(description="How to reach the clinic.")
    privacy_policy_url: str | None = Described(
        description="URL of the clinic's privacy policy; `null` if it is not known."
    )
    opening_hours: list[OpeningHoursPublic] | None = Described(
        description="Opening hours; `null` if they are not known."
    )
    special_hours: list[SpecialHoursPublic] | None = Described(
        description="Hours of single days, from today on; `null` if they are not known."
    )
    opening: OpeningPublic | None = Described(
        description="The opening that runs now or comes next; `null` if the hours are not known or "
        "the clinic is not open."
    )
    treatments: list[TreatmentPublic] = Described(
        description="Treatments that the clinic's texts describe."
    )
    conditions: list[ConditionPublic] = Described(
        description="Medical conditions for which the treatments are used."
    )
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    notices: list[NoticePublic] = Described(
        description="Notices to show with the clinic. `clinic-status` is the first, unless the "
        "clinic is open."
    )
    locale: str = Described(description="Language of the texts, a BCP 47 tag.")
    locales: list[str] = Described(description="All languages of the clinic; the first is default.")
