"""What a client would rather have, and what it has already (RFC 9110, sections 5, 12 and 13)."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from api.formats import json_ld

_ENTITY_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_LONGEST = 1024


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Fields by name, those that came more than once as one list (section 5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + b"," + value if name in fields else value
    return fields


def matches(if_none_match: bytes, tag: bytes) -> bool:
    """Weak comparison, as section 13.1.2 wants it for `If-None-Match`."""
    return (
        if_none_match in (tag, b"*")
        or if_none_match.strip() == b"*"
        or tag in _ENTITY_TAG.findall(if_none_match)
    )


@lru_cache(maxsize=256)
def preferred_encoding(accept_encoding: bytes) -> bytes:
    """`br`, `gzip` or `identity` (section 12.5.3)."""
    if len(accept_encoding) > _LONGEST:
        return b"identity"
    weights = dict(_weighted(accept_encoding))
    rest = weights.get("*", 0.0)
    ranked = [(weights.get(name, rest), name) for name in ("br", "gzip")]
    weight, name = max(ranked, key=lambda item: item[0])
    return name.encode() if weight > 0 and weight >= weights.get("identity", 0.0) else b"identity"


@lru_cache(maxsize=256)
def prefers_json_ld(accept: bytes) -> bool:
    """Whether JSON-LD is named and weighs at least as much as JSON (section 12.5.1)."""
    if len(accept) > _LONGEST:
        return False
    weights = dict(_weighted(accept))
    wanted = weights.get(json_ld.MEDIA_TYPE, 0.0)
    return wanted > 0 and wanted >= weights.get("application/json", 0.0)


def _weighted(field: bytes) -> Iterator[tuple[str, float]]:
    for item in field.decode("latin-1").split(","):
        value, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            yield value, float(weight)
        except ValueError:
            yield value, 0.0
