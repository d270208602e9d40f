"""The HTTP answer to each outcome of a consultation request."""

from collections.abc import Mapping

from fastapi import Response

from api.paths import CONSULTATION_REQUESTS
from api.problems.catalogue import ClinicPermanentlyClosed, IdempotencyKeyReused, IntakePaused
from api.problems.validation import OUTDATED, invalid_request
from data.intake.idempotency import KeyReused, Replayed
from data.intake.store import Accepted, FormOutdated, NotAccepting, Outcome
from models.consultation_request import ConsultationRequestAccepted
from models.values import BodyFaults, ConsultationMode, utc_now


def answer_to(outcome: Outcome, *, headers: Mapping[str, str] | None = None) -> Response:
    """The 201, with more header fields in `headers`. Raises the problem of a refused request."""
    match outcome:
        case Accepted(answer):
            return _created(answer.model_dump_json().encode(), headers or {})
        case Replayed(content):
            return _created(content, {"Idempotent-Replayed": "true"})
        case KeyReused():
            raise IdempotencyKeyReused
        case FormOutdated(messages):
            raise invalid_request(BodyFaults([OUTDATED]), messages=messages)
        case NotAccepting():
            raise _refusal(outcome)


def _created(answer: bytes, headers: Mapping[str, str]) -> Response:
    request_id = ConsultationRequestAccepted.model_validate_json(answer).id
    headers = {"Location": f"{CONSULTATION_REQUESTS}/{request_id}", **headers}
    return Response(answer, status_code=201, headers=headers, media_type="application/json")


def _refusal(refused: NotAccepting) -> ClinicPermanentlyClosed | IntakePaused:
    if refused.status.mode is ConsultationMode.CLOSED:
        closure = refused.status.content.closure.model_dump()
        return ClinicPermanentlyClosed(extension={"data_stored": False, "closure": closure})
    seconds = int((refused.reopens_at - utc_now()).total_seconds()) if refused.reopens_at else 0
    headers = {"Retry-After": str(seconds)} if seconds > 0 else {}
    return IntakePaused(headers=headers, extension={"data_stored": False})
