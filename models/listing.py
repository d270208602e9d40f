"""Pages of a list."""

from typing import Generic, TypeVar

from pydantic import Field

from models.values import ClinicState, Output

T = TypeVar("T")


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
