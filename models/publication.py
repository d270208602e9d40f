"""What all published texts have in common: the content version, and former slugs."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.clinic import ClinicPublic
from models.consultation_form import ConsultationFormPublic
from models.faq import FAQPublic
from models.section import SectionPublic
from models.status import StatusPublic
from models.values import Output


class Kind(StrEnum):
    """The kinds of what is published."""

    CLINIC = "clinic"
    FAQ = "faq"
    FORM = "form"
    NOTICE = "notice"
    SECTION = "section"
    # The texts of the states, and each change from one state to another.
    STATUS = "status"
    STATUS_CHANGE = "status_change"


class ContentVersion(SQLModel, table=True):
    """One row. Each transaction that changes something published raises its value."""

    __tablename__ = "content_version"

    id: int = Field(default=1, primary_key=True)
    value: int


class FormerSlug(SQLModel, table=True):
    """A slug that a text once had."""

    __tablename__ = "former_slug"

    kind: str = Field(primary_key=True, max_length=20)
    slug: str = Field(primary_key=True, max_length=80)
    current_slug: str


@dataclass(frozen=True)
class Moved:
    """The text has another slug now."""

    slug: str


@dataclass(frozen=True)
class Withdrawn:
    """The text was withdrawn."""


class BundlePublic(Output):
    """Everything that is published, in one document."""

    clinic: ClinicPublic = Described(description="As `/v1/clinic` serves it.")
    status: StatusPublic = Described(description="As `/v1/status` serves it.")
    sections: list[SectionPublic] = Described(description="All of them, in their order.")
    faqs: list[FAQPublic] = Described(description="All of them, in their order.")
    form: ConsultationFormPublic = Described(description="As its own path serves it.")
    content_version: int = Described(
        description="Version of all content. Every published change and status change raises it."
    )
