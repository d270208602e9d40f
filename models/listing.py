"""Pages of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import Field

from models.values import ClinicState, Output

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ListMeta(Output):
    """About the list and this page of it."""

    total: int = Field(description="How many items match, on all pages together.")
    next_cursor: str | None = Field(
        description="Give it as `cursor` to get the next page; `null` on the last one."
    )
    clinic_state: ClinicState = Field(description="The clinic's state as this was served.")


class Listing(Output, Generic[T]):
    """One page of a list."""

    data: list[T] = Field(description="The items of this page, in their order.")
    meta: ListMeta = Field(description="How many there are, and where the next page is.")


@dataclass(frozen=True)
class Page(Generic[T_co]):
    """One page as it leaves the database; `last_key` is set when there is more."""

    items: Sequence[T_co]
    total: int
    last_key: int | str | None
