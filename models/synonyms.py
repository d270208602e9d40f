"""Synonyms for the search."""

from typing import Annotated

from pydantic import Field

from models.values import Input, Line


class SynonymsContent(Input):
    """The content of the document `synonyms`: groups of words that mean the same."""

    groups: list[Annotated[list[Line], Field(min_length=2)]]
