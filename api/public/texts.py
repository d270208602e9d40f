"""The common part of the routes for one section and for one FAQ."""

from typing import Annotated, Any, TypeVar

from fastapi import Path, Response

from api.problems.catalogue import Gone, NotFound
from models.publication import Moved, Withdrawn
from models.values import SLUG_PATTERN

T = TypeVar("T")

SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN, max_length=80, description="The text's slug.")]


def respond_or_raise(text: T | Moved | Withdrawn | None, *, path: str) -> T | Response:
    """The text itself, or a 308 to the new slug. Raises `NotFound` or `Gone`."""
    match text:
        case None:
            raise NotFound
        case Withdrawn(reason, is_recalled):
            raise Gone(extension={"reason": reason, "recalled": is_recalled})
        case Moved(slug):
            return Response(status_code=308, headers={"Location": f"{path}/{slug}"})
    return text


def moved_response(noun: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of the 308."""
    return {
        308: {
            "description": f"The {noun} has a new slug. `Location` has the new path.",
            "headers": {
                "Location": {
                    "description": f"Current path of the {noun}.",
                    "schema": {"type": "string"},
                }
            },
        }
    }
