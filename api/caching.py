"""Validators and freshness of the public reads (RFC 9110, section 13; RFC 9111; RFC 5861)."""

import base64
import hashlib
import re
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_CONTENT_LINKS = '</v1/status>; rel="status", </openapi.json>; rel="service-desc"'


class PublicRoute(APIRoute):
    """A read that anyone may keep for a while and ask about again."""

    cache_control: ClassVar[str] = (
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    )
    vary: ClassVar[str] = "Accept-Encoding"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_validators(request: Request) -> Response:
            response = await handle(request)
            if response.status_code == 200:
                return self._validated(request, response)
            return response

        return handle_with_validators

    def _validated(self, request: Request, response: Response) -> Response:
        links = response.headers.get("Link")
        headers = {
            "ETag": entity_tag(bytes(response.body)),
            "Cache-Control": self.cache_control,
            "Vary": self.vary,
            "Link": f"{_CONTENT_LINKS}, {links}" if links else _CONTENT_LINKS,
        }
        if matches(request.headers.getlist("If-None-Match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return response


class StatusRoute(PublicRoute):
    """The clinic's state is old news sooner than a text is."""

    cache_control = "public, max-age=10, stale-while-revalidate=10, stale-if-error=86400"


class NegotiatedRoute(PublicRoute):
    """A read that comes in more than one media type."""

    vary = "Accept, Accept-Encoding"


def entity_tag(content: bytes) -> str:
    """A strong entity tag: the same bytes, the same tag."""
    digest = hashlib.sha256(content).digest()[:16]
    return f'"{base64.urlsafe_b64encode(digest).decode().rstrip("=")}"'


def matches(if_none_match: list[str], tag: str) -> bool:
    """Weak comparison, as RFC 9110 (section 13.1.2) wants it for `If-None-Match`."""
    value = ", ".join(if_none_match)
    return value.strip() == "*" or tag in _ENTITY_TAG.findall(value)
