"""What can go wrong, one class each (RFC 9457). A problem never repeats what a person typed."""

from typing import ClassVar

from api.problems import protocol  # noqa: F401 (its problems belong to `ALL`)

# Other modules import these two together with the problems.
from api.problems.problem import RETRY_AFTER as RETRY_AFTER
from api.problems.problem import Extension
from api.problems.problem import Problem as Problem


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
        "`errors` names each parameter whose name is a plain word, of unknown ones at most 20."
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


class Unauthorized(Problem):
    status = 401
    slug = "unauthorized"
    title = "A staff token is needed"
    detail = "This is for the clinic's staff. Please sign in."
    about = (
        "`Authorization: Bearer <token>` is missing, or the token is unknown, has expired or was "
        "revoked. The answer is the same for all of these."
    )


class Forbidden(Problem):
    status = 403
    slug = "forbidden"
    title = "The token is not good for this"
    detail = "This is not among the things that you may do here."
    about = "The token lacks a scope; `WWW-Authenticate` names it."


class NotFound(Problem):
    status = 404
    slug = "not-found"
    title = "There is nothing here"
    detail = "There is nothing at this address."
    about = (
        "The path, or what it names, is not known. For a consultation request the answer is the "
        "same whether the id or the token is wrong."
    )


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


class TransitionNotAllowed(Problem):
    status = 409
    slug = "transition-not-allowed"
    title = "The request cannot be moved there"
    detail = "This request cannot be moved to that state from where it is."
    about = "`available_transitions` of the request lists the states that it can be moved to."


class AlreadyInEffect(Problem):
    status = 409
    slug = "already-in-effect"
    title = "The change is already in effect"
    detail = "This change has taken effect and cannot be called off any more."
    about = "Only a planned status change can be called off. Record another change instead."


class RequestEnded(Problem):
    status = 409
    slug = "request-ended"
    title = "A completed request cannot be withdrawn"
    detail = (
        "This request is completed and belongs to the clinic's records of care, so it cannot be "
        "withdrawn here. Please ask the clinic about your records."
    )
    about = (
        "Nothing was changed. `closure` says where a clinic that has closed keeps its records, as "
        "far as that is known."
    )
    example: ClassVar[Extension] = {
        "closure": {"records_contact": None, "records_url": None, "note": None}
    }


class RequestWithdrawn(Problem):
    status = 409
    slug = "request-withdrawn"
    title = "The request was withdrawn"
    detail = "The person has withdrawn this request, so no note can be added to it."
    about = "What was known of the person is erased, and nothing new is kept about them."


class NothingToReplay(Problem):
    status = 409
    slug = "nothing-to-replay"
    title = "Nobody is left to tell"
    detail = "This cannot be sent again."
    about = "The delivery was cancelled: its webhook was ended, or its request was erased."


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


class InvalidRequest(Problem):
    status = 422
    slug = "invalid-request"
    title = "The request has faults"
    detail = "Some of what was entered needs another look. Nothing was stored."
    about = (
        "`errors` lists all faults at once, each with a JSON Pointer to the field, a code and a "
        "sentence for the person who filled in the form. Of unknown fields it lists twenty, and "
        "`body.more_unknown_fields` says how many more there are."
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


class InternalError(Problem):
    status = 500
    slug = "internal-error"
    title = "Something went wrong here"
    detail = "Something went wrong on our side. Please try again later."
    about = "A fault of the service. `instance` names the request for whoever runs the service."


class RecordDamaged(Problem):
    status = 500
    slug = "record-damaged"
    title = "A record is damaged"
    detail = "Part of what is stored here is damaged and cannot be opened."
    about = "A stored record was damaged, or its key is missing. The log names the record."


class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = "The service cannot do this right now"
    detail = "This cannot be done right now. Please try again in a moment."
    about = "The database cannot be used, or the keys do not fit it. `Retry-After` says how long."


ALL: dict[str, type[Problem]] = {
    problem.slug: problem
    for problem in sorted(Problem.__subclasses__(), key=lambda problem: problem.status)
}
