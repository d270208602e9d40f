"""How a problem is told: its document, and its place in OpenAPI."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.problems.catalogue import Problem

MEDIA_TYPE = "application/problem+json"
_EXAMPLE_INSTANCE = "urn:uuid:6f1f3a52-3a0e-4a1c-9d6e-2f8f3f0c7b11"


class ProblemError(BaseModel):
    """One fault among several."""

    pointer: str | None = Field(
        default=None, description="JSON Pointer (RFC 6901) into the body, as a URI fragment."
    )
    parameter: str | None = Field(
        default=None, description="The query parameter; `null` when its name is no plain word."
    )
    code: str = Field(description="`<field>.<reason>`; it never changes.")
    detail: str = Field(description="A sentence that may be shown to a patient.")


class ClosureBlock(BaseModel):
    """Where a closed clinic's records went, as far as that is known."""

    records_contact: str | None = Field(description="Who to ask for medical records.")
    records_url: str | None = Field(description="Where to read about medical records.")
    note: str | None = Field(description="Anything else about the closure.")


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457). They never repeat what a person typed."""

    type: str = Field(description="Address of a page that explains the problem.")
    title: str = Field(
        description="The kind of problem, in a few words; the same for each of its kind."
    )
    status: int = Field(description="The HTTP status code.")
    detail: str = Field(description="A sentence that may be shown to a patient.")
    instance: str = Field(description="`urn:uuid:` of the request's id.")
    errors: list[ProblemError] = Field(
        default=[], description="With a 422, and with a 400 about the query: every fault at once."
    )
    data_stored: bool = Field(
        default=False, description="Where a consultation request was turned away: always false."
    )
    closure: ClosureBlock | None = Field(
        default=None,
        description="With `clinic-permanently-closed` and `request-ended`: where records went.",
    )


def render(problem: Problem, *, request_id: str) -> JSONResponse:
    """The one way in which an error leaves this service."""
    return JSONResponse(
        problem.document(instance=f"urn:uuid:{request_id}", extension=problem.extension),
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    return {
        status: {
            "description": "; or: ".join(problem.title for problem in several),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemDocument"},
                    "examples": {problem.slug: example_of(problem) for problem in several},
                }
            },
        }
        for status, several in by_status.items()
    }


def example_of(problem: type[Problem]) -> dict[str, Any]:
    """An Example Object (OpenAPI) of the document that this problem is told with."""
    document = problem.document(instance=_EXAMPLE_INSTANCE, extension=problem.example)
    return {"summary": problem.title, "value": document}
