"""Redirects and withdrawals of texts, the content version, and the bundle."""

from dataclasses import dataclass

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.clinic import ClinicPublic
from models.faq import FAQPublic
from models.form_public import ConsultationFormPublic
from models.section import SectionPublic
from models.status import StatusPublic
from models.values import Output


class ContentVersion(SQLModel, table=True):
    """The content version. The table has only one row.

    Each transaction that changes published content raises the value.
    """

    __tablename__ = "content_version"

    id: int = Field(default=1, primary_key=True)
    value: int


@dataclass(frozen=True)
class Moved:
    """The text has another slug now."""

    slug: str


@dataclass(frozen=True)
class Withdrawn:
    """The text was withdrawn. `reason` is `None` if its publication simply ended."""

    reason: str | None
    is_recalled: bool


class BundlePublic(Output):
    """All published documents in one answer."""

    clinic: ClinicPublic = Described(description="The clinic, as in `/v1/clinic`.")
    status: StatusPublic = Described(description="The status, as in `/v1/status`.")
    sections: list[SectionPublic] = Described(description="All sections, in their order.")
    faqs: list[FAQPublic] = Described(description="All FAQs, in their order.")
    form: ConsultationFormPublic = Described(
        description="The form, as in `/v1/consultation-requests/form`."
    )
    content_version: int = Described(
        description="Version of all content. Every published change and status change raises it."
    )
