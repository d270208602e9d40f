"""What reading a section and reading an FAQ have in common."""

from typing import Annotated, Any, TypeVar

from fastapi import Path, Response

from api.problems.catalogue import Gone, NotFound
from models.publication import Moved, Withdrawn
from models.values import SLUG_PATTERN

T = TypeVar("T")

SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN, max_length=80, description="The text's slug.")]


def found(text: T | Moved | Withdrawn | None, *, path: str) -> T | Response:
    match text:
        case None:
            raise NotFound
        case Withdrawn():
            raise Gone
        case Moved(slug):
            return Response(status_code=308, headers={"Location": f"{path}/{slug}"})
    return text


def moved_response(noun: str) -> dict[int | str, dict[str, Any]]:
    return {
        308: {
            "description": f"The {noun} has another slug now; `Location` names it.",
            "headers": {
                "Location": {
                    "description": f"Path of the {noun} now.",
                    "schema": {"type": "string"},
                }
            },
        }
    }
