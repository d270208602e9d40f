"""A JSON parser that takes what RFC 8259 defines and nothing else."""

import json
from typing import Any, NoReturn


class NotJSON(Exception):
    """The bytes are not one well-formed JSON text in UTF-8."""


def parse(content: bytes) -> Any:
    """Raises `NotJSON`, which says nothing about the content."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=_finite,
        )
        # A lone surrogate can be written in JSON as an escape and is no text.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise NotJSON from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError
    return names


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _finite(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise ValueError
    return value
