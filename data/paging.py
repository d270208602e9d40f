"""Pages of a list: what a page is, and how the next one is found.

The next page begins after the last item of the page before, by the values that order the list. So
an item that comes or goes between two pages neither repeats nor hides another one.
"""

from collections.abc import Sequence
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
    """The cursor belongs to a list that is ordered by other values."""


class Cursor:
    """The end of a page: the values of its last item in the columns that order the list."""

    def __init__(self, *values: int | datetime | str) -> None:
        self.values = values


@dataclass(frozen=True)
class Page(Generic[Item_co]):
    """One page of a list; `total` counts all pages, `end` is set where another page follows."""

    items: Sequence[Item_co]
    total: int
    end: Cursor | None

    def with_items(self, items: Sequence[Other]) -> "Page[Other]":
        """The same page with other items, one for each of its own."""
        return Page(items, self.total, self.end)


class Order:
    """The columns that order a list: no two rows agree in all of them, and none changes."""

    def __init__(self, *columns: object, descending: bool = False) -> None:
        # SQLModel types the attribute of a table as the value that a row has there.
        self._columns = cast("tuple[ColumnElement[Any], ...]", columns)
        self._descending = descending

    def clauses(self) -> list[ColumnElement[Any]]:
        return [column.desc() if self._descending else column.asc() for column in self._columns]

    def after(self, cursor: Cursor) -> ColumnElement[bool]:
        """Whether a row comes after the cursor; raises `WrongCursor`."""
        types = [column.type for column in self._columns]
        if [_python_type(kind) for kind in types] != [type(value) for value in cursor.values]:
            raise WrongCursor
        end = tuple_(
            *(literal(value, kind) for value, kind in zip(cursor.values, types, strict=True))
        )
        here = tuple_(*self._columns)
        return here < end if self._descending else here > end

    def cursor_of(self, row: SQLModel) -> Cursor:
        return Cursor(*(getattr(row, str(column.key)) for column in self._columns))


def _python_type(kind: TypeEngine[Any]) -> type[Any]:
    # A decorated type of SQLModel, such as that of its instants, does not know its own.
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
    """Up to `limit` rows after a cursor, all of them without a limit; raises `WrongCursor`."""
    total = session.exec(select(func.count()).select_from(table).where(*wanted)).one()
    query = select(table).where(*wanted).order_by(*order.clauses())
    if after is not None:
        query = query.where(order.after(after))
    if limit is not None:
        # One more than the page holds, to know whether another page follows.
        query = query.limit(limit + 1)
    rows = session.exec(query).all()
    shown = rows[:limit]
    return Page(shown, total, order.cursor_of(shown[-1]) if len(rows) > len(shown) else None)
