"""Caveats that travel with every text they cover."""

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
    """A caveat that belongs beside a text."""

    slug: str = Described(description="`clinic-status`, or the name of a caveat.")
    text: str = Described(
        description="Plain text; show it wherever the text it came with is shown."
    )
