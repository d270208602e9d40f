"""The problem document (RFC 9457): its schema, its answer, and its entries in OpenAPI."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.problems.catalogue import Problem

MEDIA_TYPE = "application/problem+json"
_EXAMPLE_INSTANCE = "urn:uuid:6f1f3a52-3a0e-4a1c-9d6e-2f8f3f0c7b11"


class ProblemError(BaseModel):
    """One fault of a request."""

    pointer: str | None = Field(
        default=None, description="JSON Pointer (RFC 6901) into the body, as a URI fragment."
    )
    parameter: str | None = Field(
        default=None, description="Query parameter; `null` if its name is not a plain word."
    )
    code: str = Field(description="`<field>.<reason>`. Codes do not change.")
    detail: str = Field(description="A sentence that may be shown to a patient.")


class ClosureBlock(BaseModel):
    """Where the medical records of a closed clinic are. A field is `null` if it is not known."""

    records_contact: str | None = Field(description="Contact for questions about medical records.")
    records_url: str | None = Field(description="URL of a page about medical records.")
    note: str | None = Field(description="More information about the closure.")


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457). They never contain what a person typed."""

    type: str = Field(description="Path of a page that explains the problem.")
    title: str = Field(description="The type of the problem in a few words.")
    status: int = Field(description="The HTTP status code.")
    detail: str = Field(description="A sentence that may be shown to a patient.")
    instance: str = Field(description="`urn:uuid:` and the id of the request.")
    errors: list[ProblemError] = Field(
        default=[], description="In a 422, and in a 400 about the query: all faults."
    )
    data_stored: bool = Field(
        default=False,
        description="If the clinic accepts no consultation requests: always `false`, because "
        "nothing was stored.",
    )
    closure: ClosureBlock | None = Field(
        default=None,
        description="With `clinic-permanently-closed` and `request-ended`: where the medical "
        "records are.",
    )
    reason: str | None = Field(
        default=None, description="With `gone`: why the text was withdrawn; `null` if not known."
    )
    recalled: bool = Field(
        default=False,
        description="With `gone`: whether the text was recalled. Then remove it from the screen.",
    )


def render(problem: Problem, *, request_id: str) -> JSONResponse:
    """The answer for a problem. All errors of the service are made here."""
    return JSONResponse(
        problem.document(instance=f"urn:uuid:{request_id}", extension=problem.extension),
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that can answer with these problems."""
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
    """An OpenAPI Example Object with the document of this problem."""
    document = problem.document(instance=_EXAMPLE_INSTANCE, extension=problem.example)
    return {"summary": problem.title, "value": document}
