"""Notices: short texts that are shown with every text that they apply to."""

from typing import Literal

from pydantic import Field as Described
from pydantic import field_validator

from models.values import MAX_ITEMS, Input, Output, Paragraphs, Slug

CLINIC_STATUS = "clinic-status"


class Notice(Input):
    """A notice. With the scope `site` it belongs to every text, otherwise to texts that name it."""

    slug: Slug = Described(description="Identifier of the notice, which texts name.")
    scope: Literal["site", "text"] = Described(
        description="`site`: shown with every text. `text`: shown with the texts that name it."
    )
    text: Paragraphs = Described(description="Plain text.")


class NoticesContent(Input):
    """The content of the document `notices`, in the order to show them."""

    notices: list[Notice] = Described(max_length=MAX_ITEMS, description="The notices.")

    @field_validator("notices")
    @classmethod
    def _check_slugs(cls, notices: list[Notice]) -> list[Notice]:
        slugs = [notice.slug for notice in notices]
        if CLINIC_STATUS in slugs:
            raise ValueError(f"`{CLINIC_STATUS}` is the notice of the service itself")
        if len(set(slugs)) < len(slugs):
            raise ValueError("two notices have the same slug")
        return notices


class NoticePublic(Output):
    """A notice that must be shown with a text."""

    slug: str = Described(description="`clinic-status`, or the slug of another notice.")
    text: str = Described(
        description="Plain text. Show it wherever the text is shown that it belongs to."
    )
