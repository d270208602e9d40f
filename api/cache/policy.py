"""Route classes for answers that may be cached, and for how long (RFC 9111, RFC 5861)."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api import paths

# Key in the state of a request: the response cache may store the answer.
CACHEABLE = "cacheable"
_CONTENT_LINKS = f'<{paths.STATUS}>; rel="status", <{paths.OPENAPI}>; rel="service-desc"'


class PublicRoute(APIRoute):
    """A public read. Clients and proxies may cache its answer, and the response cache stores it."""

    cache_control: ClassVar[str] = (
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    )
    vary: ClassVar[str] = "Accept-Encoding"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_public(request: Request) -> Response:
            response = await handle(request)
            if response.status_code == 200:
                links = response.headers.get("Link")
                response.headers["Link"] = f"{_CONTENT_LINKS}, {links}" if links else _CONTENT_LINKS
                response.headers["Cache-Control"] = self.cache_control
                response.headers["Vary"] = self.vary
                request.scope["state"][CACHEABLE] = True
            return response

        return handle_public


class StatusRoute(PublicRoute):
    """A public read of the clinic's state, which must be fresher than a text."""

    cache_control = "public, max-age=10, stale-while-revalidate=10, stale-if-error=86400"


class NegotiatedRoute(PublicRoute):
    """A public read with more than one media type."""

    vary = "Accept, Accept-Encoding"
