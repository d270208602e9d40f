"""Content sections: the pages of the clinic's site."""

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
    """One section's content file; its slug is the file's name."""

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
    """One text in three notations that say the same words."""

    markdown: str = Described(description="CommonMark, as it was written.")
    html: str = Described(description="The same words as sanitised HTML.")
    text: str = Described(description="The same words as plain text.")


class ImagePublic(Output):
    """A picture that belongs to the text."""

    url: str = Described(description="Where the picture is.")
    alt: str = Described(description="What it shows, for who cannot see it.")


class ReferencePublic(Output):
    """A source that the text names."""

    label: str = Described(description="What it is called.")
    url: str | None = Described(description="`null` when the address is not known.")


class CallToActionPublic(Output):
    """A button below the text. The server switches it with the clinic's state."""

    label: str = Described(description="What stands on the button.")
    enabled: bool = Described(description="Whether the button may be pressed now.")
    disabled_reason: IntakeReason | None = Described(
        description="Why it is off; `null` while it is on."
    )


class ReviewPublic(Output):
    """Whether somebody looks after the text."""

    status: Literal["unknown", "current", "overdue"] = Described(
        description="`unknown` when no review is on record."
    )
    last_reviewed_on: date | None = Described(description="Day of the last review on record.")
    next_review_due_on: date | None = Described(description="Day by which the next one is due.")


class SectionPublic(Output):
    """One content section: a page of the clinic's site."""

    slug: str = Described(
        description="Name for use in addresses. An old one leads to the new one (308)."
    )
    title: str = Described(description="Heading of the page.")
    summary: str = Described(description="One sentence, fit for a meta description.")
    position: int = Described(description="Place in the order of the sections, from 1.")
    body: BodyPublic = Described(description="The text itself.")
    image: ImagePublic | None = Described(description="A picture, or `null`.")
    notices: list[NoticePublic] = Described(
        description="Caveats to show with the text, `clinic-status` first while not open."
    )
    references: list[ReferencePublic] = Described(description="Sources that the text names.")
    call_to_action: CallToActionPublic | None = Described(
        description="The button below the text, or `null` where there is none."
    )
    review: ReviewPublic = Described(description="Whether somebody looks after the text.")
    faqs: list[str] = Described(description="Slugs of the FAQs that belong to this section.")
    clinic_state: ClinicState = Described(description="The clinic's state as this was served.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Raised by one with each change of the text itself.")
    published_at: datetime = Described(description="When it was first published.")
    updated_at: datetime = Described(description="When its text last changed.")


class SectionList(Listing[SectionPublic]):
    """A page of sections."""
