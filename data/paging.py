"""Keyset pagination: a page begins after the last item of the previous page.

The cursor has the values of that item in the columns that order the list. So an item that is added
or removed between two pages does not repeat or hide another item.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, TypeDecorator, func, literal, tuple_
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel, select

Row = TypeVar("Row", bound=SQLModel)
Item_co = TypeVar("Item_co", covariant=True)
Other = TypeVar("Other")


class WrongCursor(Exception):
    """The cursor does not fit the list: its values have other types than the order's columns."""


class Cursor:
    """The end of a page: the values of its last item, in the columns that order the list."""

    def __init__(self, *values: int | datetime | str) -> None:
        self.values = values


@dataclass(frozen=True)
class Page(Generic[Item_co]):
    """One page of a list.

    `total` is the number of items in all pages. `end` is `None` for the last page.
    """

    items: Sequence[Item_co]
    total: int
    end: Cursor | None

    def with_items(self, items: Sequence[Other]) -> "Page[Other]":
        """The same page with its items replaced, for example tables by outputs."""
        return Page(items, self.total, self.end)


class Order:
    """The columns that order a list. Together they are unique, and their values never change."""

    def __init__(self, *columns: object, descending: bool = False) -> None:
        # SQLModel types the attribute of a table class as a value of the column.
        self._columns = cast("tuple[ColumnElement[Any], ...]", columns)
        self._descending = descending

    def clauses(self) -> list[ColumnElement[Any]]:
        return [column.desc() if self._descending else column.asc() for column in self._columns]

    def after(self, cursor: Cursor) -> ColumnElement[bool]:
        """The condition that a row comes after the cursor. Raises `WrongCursor`."""
        types = [column.type for column in self._columns]
        if [_python_type(kind) for kind in types] != [type(value) for value in cursor.values]:
            raise WrongCursor
        end = tuple_(
            *(literal(value, kind) for value, kind in zip(cursor.values, types, strict=True))
        )
        row = tuple_(*self._columns)
        return row < end if self._descending else row > end

    def cursor_of(self, row: SQLModel) -> Cursor:
        return Cursor(*(getattr(row, str(column.key)) for column in self._columns))


def _python_type(kind: TypeEngine[Any]) -> type[Any]:
    # A decorated type, such as SQLModel's for datetimes, does not implement `python_type`.
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


def read_page(
    session: Session,
    table: type[Row],
    *,
    wanted: Sequence[ColumnElement[bool]] = (),
    order: Order,
    limit: int | None,
    after: Cursor | None,
) -> Page[Row]:
    """Up to `limit` rows that meet all conditions in `wanted`, from the first row after a cursor.

    Without `limit`, it returns all rows. Raises `WrongCursor`.
    """
    total = session.exec(select(func.count()).select_from(table).where(*wanted)).one()
    query = select(table).where(*wanted).order_by(*order.clauses())
    if after is not None:
        query = query.where(order.after(after))
    if limit is not None:
        # One more row than the page has, to know whether another page follows.
        query = query.limit(limit + 1)
    rows = session.exec(query).all()
    shown = rows[:limit]
    return Page(shown, total, order.cursor_of(shown[-1]) if len(rows) > len(shown) else None)


def page_of(
    items: Sequence[Other],
    *,
    key: Callable[[Other], tuple[int | datetime | str, ...]],
    limit: int | None,
    after: Cursor | None,
) -> Page[Other]:
    """The same for items in memory, which are sorted by `key`."""
    rest = items
    if after is not None:
        if items and [type(value) for value in key(items[0])] != [type(v) for v in after.values]:
            raise WrongCursor
        rest = items[bisect_right(items, after.values, key=key) :]
    shown = rest[:limit]
    end = Cursor(*key(shown[-1])) if len(rest) > len(shown) else None
    return Page(shown, len(items), end)
