"""Content negotiation and `If-None-Match` (RFC 9110, sections 12 and 13)."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from api.formats import json_ld

_ENTITY_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
# Longer fields are ignored, because parsing them takes time.
_MAX_BYTES = 1024

JSON = "application/json"


class Representation(NamedTuple):
    """One form of a resource (RFC 9110, section 3.2): its media type and its BCP 47 language."""

    media_type: str
    locale: str


def representations(locale: str) -> dict[str, Representation]:
    """The representations in one language, by media type."""
    return {kind: Representation(kind, locale) for kind in (JSON, json_ld.MEDIA_TYPE)}


def join_fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Header fields by name. Repeated fields are joined with commas (section 5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + b"," + value if name in fields else value
    return fields


def matches(if_none_match: bytes, tag: bytes) -> bool:
    """Whether `If-None-Match` contains the tag or is `*`. The comparison is weak (13.1.2)."""
    return (
        if_none_match in (tag, b"*")
        or if_none_match.strip() == b"*"
        or tag in _ENTITY_TAG.findall(if_none_match)
    )


@lru_cache(maxsize=256)
def preferred_encoding(accept_encoding: bytes) -> bytes:
    """The content coding to send: `br`, `gzip` or `identity` (section 12.5.3)."""
    if len(accept_encoding) > _MAX_BYTES:
        return b"identity"
    weights = dict(_read_weights(accept_encoding))
    rest = weights.get("*", 0.0)
    ranked = [(weights.get(name, rest), name) for name in ("br", "gzip")]
    weight, name = max(ranked, key=lambda item: item[0])
    return name.encode() if weight > 0 and weight >= weights.get("identity", 0.0) else b"identity"


@lru_cache(maxsize=256)
def preferred_media_type(accept: bytes) -> str:
    """The media type to send (section 12.5.1): JSON-LD if its weight is at least that of JSON.

    Wildcards are ignored, so a client that accepts everything gets JSON.
    """
    if len(accept) > _MAX_BYTES:
        return JSON
    weights = dict(_read_weights(accept))
    wanted = weights.get(json_ld.MEDIA_TYPE, 0.0)
    return json_ld.MEDIA_TYPE if wanted > 0 and wanted >= weights.get(JSON, 0.0) else JSON


def _read_weights(field: bytes) -> Iterator[tuple[str, float]]:
    """Each value of an `Accept…` field with its weight; 0 for an invalid weight."""
    for item in field.decode("latin-1").split(","):
        value, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            yield value, float(weight)
        except ValueError:
            yield value, 0.0
