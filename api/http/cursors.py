"""Cursors as text. They are opaque for clients, and have the same format for all lists.

The values are joined with spaces and encoded in base64url (RFC 4648, section 5) without padding.
A number is written in decimal, a time in ISO 8601, and an id with `=` before it.
"""

import base64
import re
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, InstanceOf

from data.paging import Cursor
from models.values import is_within_bounds

# The largest value of an integer column on PostgreSQL.
_LARGEST_NUMBER = 2**31 - 1


def encode(cursor: Cursor) -> str:
    return encode_text(" ".join(map(_text_of, cursor.values)))


def encode_text(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """The cursor of `text`. Raises `ValueError` for a text that `encode` does not return."""
    # Wrong padding and text that is not ASCII raise a `ValueError` too.
    parts = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(" ")
    cursor = Cursor(*map(_value_of, parts))
    if encode(cursor) != text:
        raise ValueError("must be a cursor that was given")
    return cursor


def _text_of(value: int | datetime | str) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"={value}" if isinstance(value, str) else str(value)


def _value_of(part: str) -> int | datetime | str:
    if re.fullmatch("=[0-9A-Za-z-]{1,80}", part):
        return part[1:]
    if re.fullmatch("[0-9]{1,10}", part) and int(part) <= _LARGEST_NUMBER:
        return int(part)
    instant = datetime.fromisoformat(part)
    if instant.tzinfo is None or not is_within_bounds(instant):
        raise ValueError("must be a cursor that was given")
    return instant


def _decode_parameter(value: str) -> Cursor:
    try:
        return decode(value)
    except ValueError:
        # Without the cause: its text contains the value.
        raise ValueError("must be a cursor that was given") from None


CursorQuery = Annotated[
    InstanceOf[Cursor] | None,
    BeforeValidator(_decode_parameter, json_schema_input_type=str | None),
    Query(description="`next_cursor` of the previous page. Opaque: do not interpret it."),
]
