"""Content sections: the pages of the clinic's website."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field as Described
from pydantic import StrictInt, model_validator

from models.listing import Listing
from models.notice import NoticePublic
from models.status import ClinicStatus, IntakeReason
from models.texts import PUBLISHED_ON, UPDATED_ON, Slugs, States, require_variants
from models.values import (
    MAX_ITEMS,
    ClinicState,
    Day,
    FewKeys,
    Input,
    Line,
    MarkdownText,
    Output,
    WebAddress,
)


class Reference(Input):
    """A source that a text refers to."""

    label: Line = Described(description="Name of the source.")
    url: WebAddress | None = Described(
        default=None, description="URL of the source; `null` if it is not known."
    )


class CallToAction(Input):
    """A button below a text. The clinic's state enables and disables it."""

    label: Line = Described(description="Label of the button.")


class Image(Input):
    """An image that belongs to a text."""

    url: WebAddress = Described(description="URL of the image.")
    alt: Line = Described(description="Text alternative for people who cannot see the image.")


class SectionContent(Input):
    """The content of a section. It has one body, or one body for each state of the clinic."""

    title: Line = Described(description="Heading of the page.")
    summary: Line = Described(
        max_length=160, description="One sentence, suitable as a meta description."
    )
    position: StrictInt = Described(
        ge=1, le=9999, description="Position in the order of the sections."
    )
    body: MarkdownText | None = Described(
        default=None, description="The text for all states, in CommonMark."
    )
    body_by_state: Annotated[dict[ClinicState, MarkdownText], FewKeys] | None = Described(
        default=None,
        description="Instead of `body`: one text for each state in which the section is shown.",
    )
    shown_in: States | None = Described(
        default=None, description="States in which the section is shown; `null` for all."
    )
    notices: Slugs = Described(
        default=[], description="Slugs of the notices that are shown with the text."
    )
    references: list[Reference] = Described(
        default=[], max_length=MAX_ITEMS, description="Sources that the text refers to."
    )
    call_to_action: CallToAction | None = Described(
        default=None, description="The button below the text; `null` for none."
    )
    image: Image | None = Described(
        default=None, description="The image of the page; `null` for none."
    )
    published_on: Day | None = Described(default=None, description=PUBLISHED_ON)
    updated_on: Day | None = Described(default=None, description=UPDATED_ON)

    @model_validator(mode="after")
    def _check_body(self) -> "SectionContent":
        require_variants({"body": self.body, "body_by_state": self.body_by_state}, self.shown_in)
        return self

    def markdown_for(self, status: ClinicStatus) -> str:
        return self.body_by_state[status.state] if self.body_by_state else self.body or ""


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
    published_at: datetime | None = Described(
        description="When it was first published; `null` if that is not known."
    )
    updated_at: datetime | None = Described(
        description="When its text last changed essentially; `null` if that is not known."
    )


class SectionList(Listing[SectionPublic]):
    """A page of sections."""
