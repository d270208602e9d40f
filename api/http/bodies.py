"""Bodies: plain JSON in UTF-8, read strictly, and only after every dependency had its say."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BeforeValidator

from api.http import strict_json
from api.problems.catalogue import MalformedJSON
from api.problems.protocol import UnsupportedMediaType

_MEDIA_TYPE_LENGTH = 200


async def require_json(request: Request) -> None:
    """What is declared as anything but plain JSON in UTF-8 is not guessed at."""
    types = request.headers.getlist("Content-Type")
    encodings = request.headers.getlist("Content-Encoding")
    if (
        len(types) != 1
        or not _is_json(types[0])
        or any(encoding.lower() != "identity" for encoding in encodings)
    ):
        raise UnsupportedMediaType


def _is_json(media_type: str) -> bool:
    # Reading a long one takes time that grows with the square of its length.
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
    """Hands the body on as bytes where FastAPI asks for JSON."""

    async def json(self) -> bytes:
        return await self.body()


class BodyRoute(APIRoute):
    """A route whose body is parsed when it is validated; its model is marked with `Parsed`."""

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

# Named in a route's signature after whoever must be asked first.
JSONDep = Annotated[None, Depends(require_json)]
