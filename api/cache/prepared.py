"""Prepares an answer for sending: all encodings, entity tags, and the 304."""

import base64
import gzip
import hashlib
from dataclasses import dataclass

import brotli
from starlette.types import Message

# Bodies of fewer bytes are not compressed. Larger ones than `_BEST_UP_TO` get a faster compression,
# because the best one would take seconds.
_COMPRESS_FROM = 256
_BEST_UP_TO = 16 * 1024

# Fields of a single request or a single encoding, and fields that a 304 does not have.
_NOT_SHARED = {b"content-length", b"x-request-id", b"strict-transport-security"}
_OF_THE_BODY = {b"content-type", b"content-encoding", b"content-length"}

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One encoding of an answer, as the ASGI messages to send."""

    tag: bytes
    start: Message
    body: Message
    not_modified: Message


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200 in all encodings that are smaller than the plain body.

    It has no header fields of a single request. `size` is its memory in bytes, approximately.
    """

    plain: Variant
    encoded: dict[bytes, Variant]
    size: int

    @classmethod
    def of(cls, headers: Headers, body: bytes, *, compress: bool) -> "Answer":
        shared = [(name, value) for name, value in headers if name not in _NOT_SHARED]
        bodies = _compressed(body) if compress else {}
        tag = entity_tag(body)
        return cls(
            plain=_variant(shared, body, None, tag),
            encoded={
                encoding: _variant(shared, content, encoding, tag)
                for encoding, content in bodies.items()
            },
            size=len(body) + sum(map(len, bodies.values())) + 2048,
        )


def entity_tag(content: bytes) -> str:
    """A digest of the content for a strong entity tag (RFC 9110, section 8.8.3), without quotes."""
    digest = hashlib.sha256(content).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _compressed(body: bytes) -> dict[bytes, bytes]:
    if len(body) < _COMPRESS_FROM:
        return {}
    best = len(body) <= _BEST_UP_TO
    made = {
        b"br": brotli.compress(body, quality=11 if best else 5),
        b"gzip": gzip.compress(body, compresslevel=9 if best else 6, mtime=0),
    }
    return {encoding: content for encoding, content in made.items() if len(content) < len(body)}


def _variant(shared: Headers, content: bytes, encoding: bytes | None, tag: str) -> Variant:
    quoted = f'"{tag}-{encoding.decode()}"' if encoding else f'"{tag}"'
    headers = [
        *shared,
        *([(b"content-encoding", encoding)] if encoding else []),
        (b"etag", quoted.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    without_body = [(name, value) for name, value in headers if name not in _OF_THE_BODY]
    return Variant(
        tag=quoted.encode(),
        start=start,
        body={"type": "http.response.body", "body": content},
        not_modified={**start, "status": 304, "headers": without_body},
    )
