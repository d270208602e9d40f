"""Checks of a request's head (RFC 9112): its size, its host, its transfer coding."""

import re
from collections.abc import Collection
from functools import lru_cache

from httptools import HttpRequestParser

from api.problems.catalogue import Problem
from api.problems.http_problems import BadRequest, HeaderFieldsTooLarge, URITooLong

TARGET_BYTES = 8 * 1024
FIELDS_BYTES = 16 * 1024
FIELDS = 100

Fields = Collection[tuple[bytes, bytes]]


def find_head_fault(
    target: bytes, fields: Fields, *, received: int, parser: HttpRequestParser
) -> type[Problem] | None:
    """The problem of a head; `None` if it has none.

    `received` is an upper bound of the size of the head, in bytes.
    """
    if len(target) > TARGET_BYTES:
        return URITooLong
    if len(fields) > FIELDS or (received > FIELDS_BYTES and are_fields_too_large(fields)):
        return HeaderFieldsTooLarge
    hosts = 0
    for name, value in fields:
        if name == b"host":
            hosts += 1
            if not _is_host(value):
                return BadRequest
        # Only `chunked` is supported. Another coding could be read differently by a proxy.
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            return BadRequest
    if hosts > 1 or (hosts == 0 and parser.get_http_version() != "1.0"):
        return BadRequest
    return None


def are_fields_too_large(fields: Fields) -> bool:
    return sum(len(name) + len(value) + 4 for name, value in fields) > FIELDS_BYTES


@lru_cache(maxsize=128)
def _is_host(value: bytes) -> bool:
    return re.fullmatch(rb"[A-Za-z0-9._~%:\[\]-]*", value) is not None
