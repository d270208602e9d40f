"""CORS: which origins may call which paths (Fetch Standard, CORS protocol)."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import paths

_ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
)
_EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotent-Replayed",
)


class _Policy(CORSMiddleware):
    """Answers every preflight with 204 and the allowed methods and fields; the browser decides."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        del response.headers["Content-Type"], response.headers["Content-Length"]
        return Response(status_code=204, headers=dict(response.headers))


class _PublicPolicy(_Policy):
    """Allows any request header, because tracing and analytics libraries add their own.

    `*` does not include Authorization, so the fields of `_ALLOWED_HEADERS` are named too. The
    answer does not repeat the requested names.
    """

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        response.headers["Access-Control-Allow-Headers"] = ", ".join(("*", *_ALLOWED_HEADERS))
        return response


class Cors:
    """Every origin may read public paths. Intake and staff paths are for the listed origins.

    Without listed origins, every origin may use the intake, and none may use the staff paths.
    """

    _public = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": ", ".join(_EXPOSED_HEADERS),
    }

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self.app = app
        self.public = self._policy(("*",), ("GET", "HEAD"), kind=_PublicPolicy)
        self.intake = self._policy(origins or ("*",), ("GET", "HEAD", "POST"))
        self.staff = self._policy(origins, ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))

    def _policy(
        self, origins: tuple[str, ...], methods: tuple[str, ...], *, kind: type[_Policy] = _Policy
    ) -> _Policy:
        return kind(
            self.app,
            allow_origins=origins,
            allow_methods=methods,
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
        )

    def _policy_for(self, path: str) -> _Policy:
        if path.startswith(paths.STAFF):
            return self.staff
        if path.startswith(paths.CONSULTATION_REQUESTS) and not path.endswith("/form"):
            return self.intake
        return self.public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = self._policy_for(scope["path"])
        if policy is not self.public or scope["method"] == "OPTIONS":
            await policy(scope, receive, send)
            return

        async def send_with_public_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._public)
            await send(message)

        await self.app(scope, receive, send_with_public_headers)
