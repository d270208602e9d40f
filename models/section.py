"""Content sections: the pages of the clinic's website."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.notice import NoticePublic
from models.status import IntakeReason
from models.values import ClinicState, Input, JSONColumn, Output, Slug, Text, WebAddress


class ReferenceCreate(Input):
    label: Text
    url: WebAddress | None = None


class CallToActionCreate(Input):
    label: Text


class ImageCreate(Input):
    url: WebAddress
    alt: Text


class ReviewCreate(Input):
    last_reviewed_on: date | None = None
    next_review_due_on: date | None = None


class SectionCreate(Input):
    """The content file of one section. The file's name is the slug."""

    slug: Slug
    title: Text
    summary: str = Described(min_length=1, max_length=160)
    position: int = Described(ge=1)
    markdown: Text
    notices: list[Slug] = []
    references: list[ReferenceCreate] = []
    call_to_action: CallToActionCreate | None = None
    image: ImageCreate | None = None
    review: ReviewCreate = ReviewCreate()
    former_slugs: list[Slug] = []
    withdrawn_on: date | None = None


class Section(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    title: str
    summary: str
    position: int = Field(index=True)
    markdown: str
    notices: list[str] = Field(sa_type=JSONColumn)
    references: list[dict[str, str | None]] = Field(sa_type=JSONColumn)
    call_to_action: dict[str, str] | None = Field(sa_type=JSONColumn)
    image: dict[str, str] | None = Field(sa_type=JSONColumn)
    last_reviewed_on: date | None
    next_review_due_on: date | None
    withdrawn_on: date | None
    version: int
    published_at: datetime
    updated_at: datetime


class BodyPublic(Output):
    """One text in three formats with the same content."""

    markdown: str = Described(description="CommonMark, as it was written.")
    html: str = Described(description="The same text as sanitised HTML.")
    text: str = Described(description="The same text as plain text.")


class ImagePublic(Output):
    """An image that belongs to the text."""

    url: str = Described(description="URL of the image.")
    alt: str = Described(description="Text alternative for people who cannot see the image.")


class ReferencePublic(Output):
    """A source that the text refers to."""

    label: str = Described(description="Name of the source.")
    url: str | None = Described(description="URL of the source; `null` if it is not known.")


class CallToActionPublic(Output):
    """A button below the text. The clinic's state enables and disables it."""

    label: str = Described(description="Label of the button.")
    enabled: bool = Described(description="Whether the button is enabled now.")
    disabled_reason: IntakeReason | None = Described(
        description="Why it is disabled; `null` while it is enabled."
    )


class ReviewPublic(Output):
    """Reviews of the text."""

    status: Literal["unknown", "current", "overdue"] = Described(
        description="Whether the next review is overdue; `unknown` if no review was recorded."
    )
    last_reviewed_on: date | None = Described(description="Day of the last recorded review.")
    next_review_due_on: date | None = Described(description="Day by which the next review is due.")


class SectionPublic(Output):
    """One content section: a page of the clinic's website."""

    slug: str = Described(
        description="Identifier for use in URLs. A former slug redirects to the current one (308)."
    )
    title: str = Described(description="Heading of the page.")
    summary: str = Described(description="One sentence, suitable as a meta description.")
    position: int = Described(description="Position in the order of the sections, from 1.")
    body: BodyPublic = Described(description="The text.")
    image: ImagePublic | None = Described(description="The image of the page; `null` for none.")
    notices: list[NoticePublic] = Described(
        description="Notices to show with the text. `clinic-status` is the first, unless the "
        "clinic is open."
    )
    references: list[ReferencePublic] = Described(description="Sources that the text refers to.")
    call_to_action: CallToActionPublic | None = Described(
        description="The button below the text; `null` for none."
    )
    review: ReviewPublic = Described(description="Reviews of the text.")
    faqs: list[str] = Described(description="Slugs of the FAQs that belong to this section.")
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Version of the text. Each change of it adds one.")
    published_at: datetime = Described(description="When it was first published.")
    updated_at: datetime = Described(description="When its text last changed.")


class SectionList(Listing[SectionPublic]):
    """A page of sections."""
