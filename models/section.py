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
    markdown: str = Described(description="CommonMark, as it was written.")
    html: str = Described(description="The same words as sanitised HTML.")
    text: str = Described(description="The same words as plain text.")


class ImagePublic(Output):
    url: str
    alt: str


class ReferencePublic(Output):
    label: str
    url: str | None = Described(description="`null` when the address is not known.")


class CallToActionPublic(Output):
    label: str
    enabled: bool = Described(description="Whether the button may be pressed now.")
    disabled_reason: IntakeReason | None


class ReviewPublic(Output):
    status: Literal["unknown", "current", "overdue"] = Described(
        description="`unknown` when no review is on record."
    )
    last_reviewed_on: date | None
    next_review_due_on: date | None


class SectionPublic(Output):
    slug: str
    title: str
    summary: str = Described(description="One sentence, fit for a meta description.")
    position: int
    body: BodyPublic
    image: ImagePublic | None
    notices: list[NoticePublic] = Described(
        description="Caveats to show with the text, `clinic-status` first while not open."
    )
    references: list[ReferencePublic]
    call_to_action: CallToActionPublic | None
    review: ReviewPublic
    faqs: list[str] = Described(description="Slugs of the FAQs that belong to this section.")
    clinic_state: ClinicState = Described(description="The clinic's state as this was served.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Raised by one with each change of the text itself.")
    published_at: datetime
    updated_at: datetime


class SectionList(Listing[SectionPublic]):
    pass
