"""The cursor of a list as text: opaque for clients, one form for every list.

The values of a cursor, with a blank between, in Base64 for URLs (RFC 4648, section 5) without
padding. A number is its digits, an instant is ISO 8601, an id has `=` before it.
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
    """The cursor of `text`; raises `ValueError` where `encode` cannot have made it."""
    # Text that is not ASCII, and padding that does not fit, raise a `ValueError` too.
    words = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(" ")
    cursor = Cursor(*map(_value_of, words))
    if encode(cursor) != text:
        raise ValueError("must be a cursor that was given")
    return cursor


def _text_of(value: int | datetime | str) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"={value}" if isinstance(value, str) else str(value)


def _value_of(word: str) -> int | datetime | str:
    if re.fullmatch("=[0-9a-f-]{1,36}", word):
        return word[1:]
    if re.fullmatch("[0-9]{1,10}", word) and int(word) <= _LARGEST_NUMBER:
        return int(word)
    instant = datetime.fromisoformat(word)
    if instant.tzinfo is None or not is_within_bounds(instant):
        raise ValueError("must be a cursor that was given")
    return instant


def _decode_parameter(value: str) -> Cursor:
    try:
        return decode(value)
    except ValueError:
        # Without its cause, whose text repeats the value.
        raise ValueError("must be a cursor that was given") from None


CursorQuery = Annotated[
    InstanceOf[Cursor] | None,
    BeforeValidator(_decode_parameter, json_schema_input_type=str | None),
    Query(description="`next_cursor` of the page before; opaque."),
]
