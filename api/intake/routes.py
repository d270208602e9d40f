"""The public routes of consultation requests: form, request, receipt, withdrawal."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.cache.policy import StatusRoute
from api.dependencies import SessionDep, SettingsDep, WriteSessionDep
from api.intake.outcomes import answer_to
from api.intake.receipts import ReceiptDep, refuse_wrong_receipt, require_request
from api.intake.steps import STEPS, AttemptDep, IntakeRoute, RateDep, RequestBody
from api.intake.validation import require_valid
from api.paths import CONSULTATION_REQUESTS
from api.problems.catalogue import (
    ClinicPermanentlyClosed,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidIdempotencyKey,
    InvalidQuery,
    InvalidRequest,
    MalformedJSON,
    NotFound,
    RequestEnded,
)
from api.problems.document import responses
from api.problems.http_problems import ContentTooLarge, TooManyRequests, UnsupportedMediaType
from api.runtime import runtime_of
from data.documents.form import find_form, find_form_version
from data.documents.status import find_status
from data.intake import requests as consultation_requests
from data.intake.requests import NewRequest
from data.intake.withdrawals import RecordOfCare, withdraw_request
from models.consultation_request import (
    ConsultationRequest,
    ConsultationRequestAccepted,
    ReceiptPublic,
    RequestState,
)
from models.form_public import ConsultationFormPublic
from models.form_schema import FormDialect

form_router = APIRouter(
    prefix=CONSULTATION_REQUESTS, tags=["Consultation requests"], route_class=StatusRoute
)
router = APIRouter(prefix=CONSULTATION_REQUESTS, tags=["Consultation requests"])
intake_router = APIRouter(
    prefix=CONSULTATION_REQUESTS, tags=["Consultation requests"], route_class=IntakeRoute
)

DialectQuery = Annotated[
    FormDialect,
    Query(
        description="How `schema` describes a choice. `enum`: `oneOf` with an `enum` of one value "
        "each, for RJSF and ngx-formly. `const`: `oneOf` with a `const` each, for JSONForms. "
        "`json-editor`: with the keywords of that library."
    ),
]


@form_router.get("/form")
def read_consultation_request_form(
    session: SessionDep, dialect: DialectQuery = FormDialect.ENUM
) -> ConsultationFormPublic:
    """The form as JSON Schema, with all its texts. 200 also if no requests are accepted.

    Choose the `dialect` of your form library. Then the library, with its default settings, shows
    every label and preselects no choice and no consent.
    """
    return find_form(session, status=find_status(session), dialect=dialect)


@intake_router.post(
    "",
    status_code=201,
    response_model=ConsultationRequestAccepted,
    dependencies=STEPS,
    responses={
        201: {
            "description": "The request is stored. Keep the receipt token.",
            "headers": {
                "Location": {
                    "description": "Path of the receipt.",
                    "schema": {"type": "string"},
                },
                "RateLimit": {
                    "description": "How many more requests are accepted (`r`) in the next seconds "
                    "(`t`).",
                    "schema": {"type": "string"},
                },
                "RateLimit-Policy": {
                    "description": "The rate limit: how many requests (`q`) in how many seconds "
                    "(`w`).",
                    "schema": {"type": "string"},
                },
                "Idempotent-Replayed": {
                    "description": "`true` if this is a repetition of an earlier answer.",
                    "schema": {"type": "string", "enum": ["true"]},
                },
            },
        },
        **responses(
            InvalidQuery,
            MalformedJSON,
            InvalidIdempotencyKey,
            IntakePaused,
            ClinicPermanentlyClosed,
            ContentTooLarge,
            UnsupportedMediaType,
            InvalidRequest,
            IdempotencyKeyReused,
            TooManyRequests,
        ),
    },
)
async def create_consultation_request(
    request: Request, attempt: AttemptDep, rate: RateDep, body: RequestBody
) -> Response:
    """Ask the clinic for a consultation.

    The clinic accepts requests while `consultations.accepting` of `/v1/status` is true. Otherwise
    the answer is 410 if the clinic is closed permanently, and 409 if it accepts no requests for
    now; the body is not parsed. The clinic of the shipped content is closed. To try this
    operation, open it with `python main.py status set open` on the machine of the service.

    After a 201 the request is stored durably. Send an `Idempotency-Key`, so that you can safely
    repeat a request: the same key with the same body gets the first answer again.
    """
    valid = await require_valid(request, body)
    outcome = await runtime_of(request).intake.submit(NewRequest(valid, attempt))
    return answer_to(outcome, headers=rate)


@router.get("/{id}", responses=responses(NotFound))
def read_consultation_request(session: SessionDep, receipt: ReceiptDep) -> ReceiptPublic:
    """The receipt, with the state of the request. It never contains what was typed."""
    return _receipt(session, require_request(session, receipt))


@router.post(
    "/{id}/withdrawal",
    dependencies=[Depends(refuse_wrong_receipt)],
    responses=responses(NotFound, RequestEnded),
)
def withdraw_consultation_request(
    session: WriteSessionDep, settings: SettingsDep, receipt: ReceiptDep
) -> ReceiptPublic:
    """Withdraw the request. Everything that the person typed is erased permanently.

    A completed request is part of the clinic's medical records and cannot be withdrawn. Ask the
    clinic about it.
    """
    require_request(session, receipt)
    try:
        row = withdraw_request(session, request_id=receipt.request_id, retention=settings.retention)
    except RecordOfCare:
        closure = find_status(session).content.closure.model_dump()
        raise RequestEnded(extension={"closure": closure}) from None
    if row is None:
        raise NotFound
    return _receipt(session, row)


def _receipt(session: SessionDep, row: ConsultationRequest) -> ReceiptPublic:
    return ReceiptPublic(
        id=row.id,
        state=RequestState(row.state),
        received_at=row.received_at,
        updated_at=row.state_changed_at,
        retention_until=row.retention_until,
        next_step=consultation_requests.next_step(
            row.state, status=find_status(session), form=find_form_version(session).content
        ),
    )
