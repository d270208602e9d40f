"""Common to the contents of sections and FAQs."""

from collections.abc import Collection, Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from models.values import MAX_ITEMS, ClinicState, Slug

T = TypeVar("T")


def without_duplicates(values: list[T]) -> list[T]:
    """Raises `ValueError` if an item is given twice."""
    if len(set(values)) < len(values):
        raise ValueError("an item is given twice")
    return values


Slugs = Annotated[list[Slug], Field(max_length=MAX_ITEMS), AfterValidator(without_duplicates)]
# The states in which a text is shown. Elsewhere it is not listed, and its slug is not known.
States = Annotated[
    list[ClinicState],
    Field(min_length=1, max_length=len(ClinicState)),
    AfterValidator(without_duplicates),
]
PUBLISHED_ON = (
    "Day of the first publication, if the text is older than its document; `null` if that is not "
    "known."
)
UPDATED_ON = "Day of the last essential change before its document; `null` if that is not known."


def require_variants(
    given: Mapping[str, str | Mapping[ClinicState, str] | None],
    shown_in: Collection[ClinicState] | None,
) -> None:
    """Raises `ValueError` unless exactly one field is given, with a text for each state shown."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise ValueError(f"give exactly one of {', '.join(f'`{name}`' for name in given)}")
    variants = given[names[0]]
    if isinstance(variants, Mapping) and set(variants) != set(shown_in or ClinicState):
        raise ValueError(f"{names[0]}: one text for each state in which it is shown")
