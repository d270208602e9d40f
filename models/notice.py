"""Notices: short texts that are shown with every text that they apply to."""

from typing import Literal

from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.values import Input, Output, Slug, Text

CLINIC_STATUS = "clinic-status"


class Notice(SQLModel, table=True):
    slug: str = Field(primary_key=True)
    scope: str
    text: str
    position: int


class NoticeCreate(Input):
    slug: Slug
    scope: Literal["site", "text"]
    text: Text


class NoticesCreate(Input):
    """The content file of the notices."""

    notices: list[NoticeCreate]


class NoticePublic(Output):
    """A notice that must be shown with a text."""

    slug: str = Described(description="`clinic-status`, or the slug of another notice.")
    text: str = Described(
        description="Plain text. Show it wherever the text is shown that it belongs to."
    )
