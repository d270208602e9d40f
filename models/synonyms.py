"""Synonyms for the search."""

from typing import Annotated

from pydantic import Field

from models.values import MAX_ITEMS, Input, Line


class SynonymsContent(Input):
    """The content of the document `synonyms`: groups of words that mean the same."""

    groups: list[Annotated[list[Line], Field(min_length=2, max_length=MAX_ITEMS)]] = Field(
        max_length=1000, description="Groups of words; the words of a group mean the same."
    )
