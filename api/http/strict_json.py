"""A JSON parser that accepts only what RFC 8259 defines, and no duplicate names."""

import json
from typing import NoReturn

JSONValue = None | bool | int | float | str | list["JSONValue"] | dict[str, "JSONValue"]


class NotJSON(Exception):
    """The bytes are not one valid JSON text in UTF-8."""


def parse(content: bytes) -> JSONValue:
    """The value of a JSON text. Raises `NotJSON`, without the content in its message."""
    try:
        value: JSONValue = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=_finite,
        )
        # Refuses lone surrogates: JSON can escape them, but they are not valid text.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise NotJSON from None
    return value


def _object(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _finite(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise ValueError
    return value
