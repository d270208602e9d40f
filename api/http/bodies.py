"""Request bodies: only JSON in UTF-8, parsed strictly, and after all dependencies have run."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BeforeValidator

from api.http import strict_json
from api.problems.catalogue import MalformedJSON
from api.problems.http_problems import UnsupportedMediaType

_MEDIA_TYPE_LENGTH = 200


async def require_json(request: Request) -> None:
    """Raises `UnsupportedMediaType` unless the body is declared as JSON in UTF-8, not encoded."""
    types = request.headers.getlist("Content-Type")
    encodings = request.headers.getlist("Content-Encoding")
    if (
        len(types) != 1
        or not _is_json(types[0])
        or any(encoding.lower() != "identity" for encoding in encodings)
    ):
        raise UnsupportedMediaType


def _is_json(media_type: str) -> bool:
    # The parser's time grows with the square of the length.
    if len(media_type) > _MEDIA_TYPE_LENGTH:
        return False
    declared = Message()
    declared["Content-Type"] = media_type
    charset = declared.get_param("charset", "utf-8")
    return (
        declared.get_content_type() == "application/json"
        and isinstance(charset, str)
        and charset.lower() in ("utf-8", "utf8")
    )


class UnparsedRequest(Request):
    """Returns the bytes of the body where FastAPI asks for JSON, so that they are parsed later."""

    async def json(self) -> bytes:
        return await self.body()


class BodyRoute(APIRoute):
    """A route whose body is parsed at its validation. The body's parameter must have `Parsed`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_unparsed(request: Request) -> Response:
            if not isinstance(request, UnparsedRequest):
                request = UnparsedRequest(request.scope, request.receive)
            return await handle(request)

        return handle_unparsed


def _parse(body: object) -> object:
    if not isinstance(body, bytes):
        return body
    try:
        return strict_json.parse(body)
    except strict_json.NotJSON:
        raise MalformedJSON from None


Parsed = BeforeValidator(_parse)

# FastAPI runs dependencies in the order of the signature: put this one after the authentication.
JSONDep = Annotated[None, Depends(require_json)]
