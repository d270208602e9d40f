"""The problems of the API (RFC 9457), one class each. None repeats what a person typed."""

from typing import ClassVar

# Re-exported: other modules import these two together with the problems.
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
        "A query parameter is unknown, is given twice, or has a value that cannot be used. "
        "`errors` has an entry for each parameter, but for at most 20 unknown ones. It repeats a "
        "name only if the name is a plain word."
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
    about = "`Idempotency-Key` must be given once and have 8 to 255 visible ASCII characters."


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
    detail = "You do not have permission to do this."
    about = "The token lacks a scope; `WWW-Authenticate` names it."


class NotFound(Problem):
    status = 404
    slug = "not-found"
    title = "There is nothing here"
    detail = "There is nothing at this address."
    about = (
        "The path is unknown, or the object that it names does not exist. For a consultation "
        "request, a wrong id and a wrong token get the same answer."
    )


class IntakePaused(Problem):
    status = 409
    slug = "intake-paused"
    title = "Consultation requests are paused"
    detail = "The clinic is not taking consultation requests at the moment. Nothing was stored."
    about = (
        "The clinic accepts no requests for now. If a reopening day is known, the answer has "
        "`Retry-After`. `/v1/status` has the details."
    )
    example: ClassVar[Extension] = {"data_stored": False}


class TransitionNotAllowed(Problem):
    status = 409
    slug = "transition-not-allowed"
    title = "The request cannot be moved there"
    detail = "This request cannot change from its state to that state."
    about = "`available_transitions` of the request lists the states that it can change to."


class AlreadyInEffect(Problem):
    status = 409
    slug = "already-in-effect"
    title = "The change is already in effect"
    detail = "This change has taken effect and cannot be called off any more."
    about = (
        "Only a planned status change, publication or withdrawal can be called off. Record a new "
        "one instead."
    )


class SlugTaken(Problem):
    status = 409
    slug = "slug-taken"
    title = "There is a document with this name"
    detail = "There is already a text with this name in this language."
    about = (
        "A document has this kind, slug and locale already. It can also be a former slug, which "
        "redirects to another text. Read the document, and save another revision of it."
    )


class DocumentPermanent(Problem):
    status = 409
    slug = "document-permanent"
    title = "This document cannot be withdrawn"
    detail = "This text is always published. It can be changed, but not withdrawn."
    about = "Only a section or an FAQ can be withdrawn. Publish another revision instead."


class DocumentNotPublished(Problem):
    status = 409
    slug = "document-not-published"
    title = "The document was never published"
    detail = "This text was not published, so it cannot be withdrawn."
    about = (
        "No publication of the document begins before the withdrawal. A planned publication can be "
        "called off instead."
    )


class RevisionInUse(Problem):
    status = 409
    slug = "revision-in-use"
    title = "The revision is public"
    detail = "This version of the text is public or planned, so its content cannot be removed."
    about = (
        "The revision is public, planned, or becomes public again when a later publication ends. "
        "Publish another revision, or call off the plan, and then try again."
    )


class RequestEnded(Problem):
    status = 409
    slug = "request-ended"
    title = "A completed request cannot be withdrawn"
    detail = (
        "This request is completed and belongs to the clinic's medical records, so it cannot be "
        "withdrawn here. Please ask the clinic about your records."
    )
    about = (
        "Nothing was changed. If the clinic is closed, `closure` says where its medical records "
        "are; a field is `null` if it is not known."
    )
    example: ClassVar[Extension] = {
        "closure": {"records_contact": None, "records_url": None, "note": None}
    }


class RequestWithdrawn(Problem):
    status = 409
    slug = "request-withdrawn"
    title = "The request was withdrawn"
    detail = "The person has withdrawn this request, so no note can be added to it."
    about = "The person's data was erased with the withdrawal, and no new data is stored."


class NothingToReplay(Problem):
    status = 409
    slug = "nothing-to-replay"
    title = "Nobody is left to tell"
    detail = "This message cannot be sent again."
    about = "The delivery was cancelled, because its webhook was ended or its request was erased."


class Gone(Problem):
    status = 410
    slug = "gone"
    title = "This text was taken back"
    detail = "This text is no longer published."
    about = (
        "The section or FAQ was withdrawn. Do not show it any more, and delete stored copies. "
        "`reason` may be shown. If `recalled` is true, remove the text from the screen at once."
    )
    example: ClassVar[Extension] = {"reason": "The text was out of date.", "recalled": False}


class ClinicPermanentlyClosed(Problem):
    status = 410
    slug = "clinic-permanently-closed"
    title = "The clinic is permanently closed"
    detail = (
        "The clinic is permanently closed and takes no consultation requests. Nothing was stored."
    )
    about = (
        "The body was not parsed, not stored and not logged. `closure` says where the clinic's "
        "medical records are; a field is `null` if it is not known."
    )
    example: ClassVar[Extension] = {
        "data_stored": False,
        "closure": {"records_contact": None, "records_url": None, "note": None},
    }


class InvalidRequest(Problem):
    status = 422
    slug = "invalid-request"
    title = "The request has faults"
    detail = "Some of the entries need a correction. Nothing was stored."
    about = (
        "`errors` lists all faults, each with a JSON Pointer to the field, a code, and a sentence "
        "for the person who filled in the form. It lists at most 20 unknown fields; "
        "`body.more_unknown_fields` gives the number of the others."
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
    about = "The same key was used with a different body. Create a new key for each new request."


class InternalError(Problem):
    status = 500
    slug = "internal-error"
    title = "Something went wrong here"
    detail = "Something went wrong on our side. Please try again later."
    about = "An error in the service. `instance` has the id of the request in the service's log."


class RecordDamaged(Problem):
    status = 500
    slug = "record-damaged"
    title = "A record is damaged"
    detail = "Part of this record is damaged and cannot be opened."
    about = "A stored record was damaged, or its key is missing. The log names the record."


class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = "The service cannot do this right now"
    detail = "This cannot be done right now. Please try again in a moment."
    about = (
        "The database or the keys cannot be used now. `Retry-After` says after how many seconds to "
        "try again."
    )


ALL: dict[str, type[Problem]] = {
    problem.slug: problem
    for problem in sorted(Problem.__subclasses__(), key=lambda problem: problem.status)
}
