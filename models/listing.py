"""Pages of a list."""

from typing import Generic, TypeVar

from pydantic import Field

from models.values import ClinicState, Output

T = TypeVar("T")


class ListMeta(Output):
    """Facts about a list and one page of it."""

    total: int = Field(description="Number of matching items on all pages.")
    next_cursor: str | None = Field(
        description="Value of the parameter `cursor` for the next page; `null` on the last page."
    )
    clinic_state: ClinicState = Field(description="The clinic's state in this answer.")


class Listing(Output, Generic[T]):
    """One page of a list."""

    data: list[T] = Field(description="The items of this page, in their order.")
    meta: ListMeta = Field(description="Number of items, and the cursor of the next page.")
