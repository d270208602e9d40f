"""Which answers anybody may keep, and for how long (RFC 9111, RFC 5861)."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api import paths

_CONTENT_LINKS = f'<{paths.STATUS}>; rel="status", <{paths.OPENAPI}>; rel="service-desc"'


class PublicRoute(APIRoute):
    """A read that anyone may keep for a while, and the response cache while it is true."""

    cache_control: ClassVar[str] = (
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    )
    vary: ClassVar[str] = "Accept-Encoding"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_for_everybody(request: Request) -> Response:
            response = await handle(request)
            if response.status_code == 200:
                links = response.headers.get("Link")
                response.headers["Link"] = f"{_CONTENT_LINKS}, {links}" if links else _CONTENT_LINKS
                response.headers["Cache-Control"] = self.cache_control
                response.headers["Vary"] = self.vary
                request.scope["state"]["keep"] = True
            return response

        return handle_for_everybody


class StatusRoute(PublicRoute):
    """The clinic's state is old news sooner than a text is."""

    cache_control = "public, max-age=10, stale-while-revalidate=10, stale-if-error=86400"


class NegotiatedRoute(PublicRoute):
    """A read that comes in more than one media type."""

    vary = "Accept, Accept-Encoding"
