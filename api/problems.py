"""Problem details (RFC 9457): one class each, one renderer, and their place in OpenAPI.

A problem never repeats what a person typed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "5"}
_EXAMPLE_INSTANCE = "urn:uuid:6f1f3a52-3a0e-4a1c-9d6e-2f8f3f0c7b11"

Extension = Mapping[str, Any]


class Problem(Exception):
    """Something that went wrong, as the caller is told."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    detail: ClassVar[str]
    about: ClassVar[str]
    example: ClassVar[Extension] = {}

    def __init__(
        self, *, headers: Mapping[str, str] | None = None, extension: Extension | None = None
    ) -> None:
        super().__init__(self.slug)
        self.headers = headers or {}
        self.extension = extension or {}

    @classmethod
    def document(cls, *, instance: str, extension: Extension) -> dict[str, Any]:
        return {
            "type": f"/problems/{cls.slug}",
            "title": cls.title,
            "status": cls.status,
            "detail": cls.detail,
            "instance": instance,
            **extension,
        }


class MalformedJSON(Problem):
    status = 400
    slug = "malformed-json"
    title = "The body is not well-formed JSON"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "The body must be one JSON text (RFC 8259) in UTF-8, without duplicate names, NaN, "
        "infinities, lone surrogates or a byte order mark."
    )


class InvalidQuery(Problem):
    status = 400
    slug = "invalid-query"
    title = "The query string has a fault"
    detail = "Part of this address cannot be understood."
    about = (
        "A query parameter is not known here, is given twice, or has a value that cannot be used. "
        "`errors` names the parameter where it is one of ours."
    )
    example: ClassVar[Extension] = {
        "errors": [
            {
                "parameter": "limit",
                "code": "limit.invalid",
                "detail": "This parameter has a value that cannot be used.",
            }
        ]
    }


class InvalidIdempotencyKey(Problem):
    status = 400
    slug = "invalid-idempotency-key"
    title = "The Idempotency-Key cannot be used"
    detail = "The request could not be accepted as it was sent. Nothing was stored."
    about = "`Idempotency-Key` is given once and holds 8 to 255 visible ASCII characters."


class NotFound(Problem):
    status = 404
    slug = "not-found"
    title = "There is nothing here"
    detail = "There is nothing at this address."
    about = (
        "The path, or what it names, is not known. For a consultation request the answer is the "
        "same whether the id or the token is wrong."
    )


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = "This method is not allowed here"
    detail = "This address cannot be used in this way."
    about = "The header `Allow` lists the methods that this path knows."


class IntakePaused(Problem):
    status = 409
    slug = "intake-paused"
    title = "Consultation requests are paused"
    detail = "The clinic is not taking consultation requests at the moment. Nothing was stored."
    about = (
        "Requests are not taken for now. `Retry-After` is given where a reopening day is known; "
        "`/v1/status` tells the rest."
    )
    example: ClassVar[Extension] = {"data_stored": False}


class Gone(Problem):
    status = 410
    slug = "gone"
    title = "This text was taken back"
    detail = "This text is no longer published."
    about = "The section or FAQ was withdrawn on purpose. Take it out of what you show and keep."


class ClinicPermanentlyClosed(Problem):
    status = 410
    slug = "clinic-permanently-closed"
    title = "The clinic is permanently closed"
    detail = (
        "The clinic is permanently closed and takes no consultation requests. Nothing was stored."
    )
    about = (
        "The body was neither read as JSON, nor stored, nor logged. `closure` says where records "
        "went, as far as that is known."
    )
    example: ClassVar[Extension] = {
        "data_stored": False,
        "closure": {"records_contact": None, "records_url": None, "note": None},
    }


class ContentTooLarge(Problem):
    status = 413
    slug = "content-too-large"
    title = "The body is too large"
    detail = "What was sent is too large. Nothing was stored."
    about = "A body may have at most 65,536 bytes (64 KiB)."


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = "The body is not declared as JSON"
    detail = "The request could not be read. Nothing was stored."
    about = (
        "Send `Content-Type: application/json`, with no charset but UTF-8 and without a "
        "`Content-Encoding`."
    )


class InvalidRequest(Problem):
    status = 422
    slug = "invalid-request"
    title = "The request has faults"
    detail = "Some of what was entered needs another look. Nothing was stored."
    about = (
        "`errors` lists all faults at once, each with a JSON Pointer to the field, a code and a "
        "sentence for the person who filled in the form."
    )
    example: ClassVar[Extension] = {
        "errors": [
            {
                "pointer": "#/email",
                "code": "email.invalid",
                "detail": "Please check the e-mail address.",
            }
        ]
    }


class IdempotencyKeyReused(Problem):
    status = 422
    slug = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"
    detail = "The request could not be accepted as it was sent. Nothing was stored."
    about = "The same key was used with other bytes. Make a new key for a new request."


class TooManyRequests(Problem):
    status = 429
    slug = "too-many-requests"
    title = "Too many requests"
    detail = "Too many requests came from this connection. Please try again later."
    about = "`Retry-After` says after how many seconds the next request is taken."


class InternalError(Problem):
    status = 500
    slug = "internal-error"
    title = "Something went wrong here"
    detail = "Something went wrong on our side. Please try again later."
    about = "A fault of the service. `instance` names the request for whoever runs the service."


class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = "The service cannot do this right now"
    detail = "This cannot be done right now. Please try again in a moment."
    about = "The database cannot be reached or written to. `Retry-After` says when to try again."


ALL: dict[str, type[Problem]] = {
    problem.slug: problem
    for problem in (
        MalformedJSON, InvalidQuery, InvalidIdempotencyKey, NotFound, MethodNotAllowed,
        IntakePaused, Gone, ClinicPermanentlyClosed, ContentTooLarge, UnsupportedMediaType,
        InvalidRequest, IdempotencyKeyReused, TooManyRequests, InternalError, Unavailable,
    )
}  # fmt: skip


class ProblemError(BaseModel):
    """One fault among several."""

    pointer: str | None = Field(
        default=None, description="JSON Pointer (RFC 6901) into the body, as a URI fragment."
    )
    parameter: str | None = Field(
        default=None, description="The query parameter; `null` when it is not one of ours."
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
        default=None, description="With `clinic-permanently-closed`: where records went."
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
