"""Query parameters. Every fault is answered with 400; none is ignored."""

import re
from collections import Counter
from collections.abc import Set
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import AfterValidator, BeforeValidator, Field
from sqlmodel import Session

from api.http.cursors import encode
from api.problems.catalogue import InvalidQuery
from data.documents.status import find_status
from data.paging import Page
from models.listing import ListMeta
from models.values import LINE_LENGTH, PLAIN_WORD, SLUG_PATTERN, no_control_characters

_MAX_NAMED = 20
_REASONS = {
    "unknown": "This parameter is unknown.",
    "repeated": "This parameter is given more than once.",
    "invalid": "This parameter has a value that cannot be used.",
}


def invalid_query(*faults: tuple[str | None, str]) -> InvalidQuery:
    """The problem for faults of the query: each is a parameter and a key of `_REASONS`.

    The parameter is `None` if its name is not a plain word.
    """
    return InvalidQuery(
        extension={
            "errors": [
                {
                    "parameter": parameter,
                    "code": f"{parameter or 'query'}.{reason}",
                    "detail": _REASONS[reason],
                }
                for parameter, reason in faults
            ]
        }
    )


async def refuse_unknown_parameters(request: Request) -> None:
    """Raises `InvalidQuery` for unknown and for repeated parameters."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    faults: list[tuple[str | None, str]] = [
        (name, "repeated") for name in sorted(known) if given[name] > 1
    ]
    faults += [(name, "unknown") for name in _nameable(given.keys() - known)]
    if faults:
        raise invalid_query(*faults)


def _nameable(names: Set[str]) -> list[str | None]:
    """The names that are plain words, and one `None` for all other names."""
    words = sorted(name for name in names if PLAIN_WORD.fullmatch(name))[:_MAX_NAMED]
    return [*words, None] if len(words) < len(names) else [*words]


def _digits(value: str) -> str:
    # `int` also accepts signs, spaces, underscores and the digits of all scripts.
    if not re.fullmatch("[0-9]{1,9}", value):
        raise ValueError("must be a number")
    return value


def _true_or_false(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


def _one_line(value: str | None) -> str | None:
    return value if value is None else no_control_characters(value)


LimitQuery = Annotated[
    Annotated[int, Field(ge=1, le=100)],
    BeforeValidator(_digits),
    Query(description="Maximum number of items in a page."),
]
DaysQuery = Annotated[Annotated[int, Field(le=36_500)] | None, BeforeValidator(_digits)]
# One line of text, which may be empty.
LineQuery = Annotated[str | None, Query(max_length=LINE_LENGTH), AfterValidator(_one_line)]
SlugQuery = Annotated[str | None, Query(pattern=SLUG_PATTERN, max_length=80)]
FlagQuery = Annotated[bool | None, BeforeValidator(_true_or_false)]


def list_meta(
    session: Session, page: Page[object], request: Request, response: Response
) -> ListMeta:
    """The `meta` of a list. If there is a next page, also sets its `Link` (RFC 8288)."""
    state = find_status(session).state
    cursor = None
    if page.end is not None:
        cursor = encode(page.end)
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return ListMeta(total=page.total, next_cursor=cursor, clinic_state=state)
