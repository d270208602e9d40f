"""The inbox: staff lists, opens, changes, exports and erases consultation requests."""

from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.convertors import StringConvertor, register_url_convertor

from api.auth import IntakeEraser, IntakeExporter, IntakeReader, IntakeWriter
from api.dependencies import KeyringDep, SessionDep, SettingsDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.preconditions import TAGGED, IfMatch, require_match, set_entity_tag
from api.http.queries import DaysQuery, FlagQuery, LimitQuery, LineQuery, list_meta
from api.problems.catalogue import (
    InvalidRequest,
    MalformedJSON,
    NotFound,
    RecordDamaged,
    RequestWithdrawn,
    TransitionNotAllowed,
)
from api.problems.document import responses
from api.problems.http_problems import (
    ContentTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    UnsupportedMediaType,
)
from api.runtime import runtime_of
from data.audit.events import record_event
from data.intake import export, inbox
from data.intake.opened_requests import read_request
from data.intake.retention import erase
from models.audit import Action
from models.consultation_request import ConsultationRequest, RequestState
from models.inbox import (
    NoteCreate,
    RequestChange,
    RequestList,
    RequestPublic,
    RequestSummary,
)


class _RequestIdConvertor(StringConvertor):
    # Matches only ids. Otherwise the path of the export would also match the routes of one request.
    regex = "[0-9a-f-]{36}"


register_url_convertor("request_id", _RequestIdConvertor())

router = APIRouter(prefix="/v1/staff/consultation-requests", route_class=BodyRoute)

RequestId = Annotated[
    str, Path(alias="id", pattern="^[0-9a-f-]{36}$", description="`id` of the request.")
]
StateQuery = Annotated[RequestState | None, Query(description="Only requests in this state.")]
WRITES = responses(NotFound, PreconditionFailed, PreconditionRequired)
BODIES = responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest)


@router.get("")
def list_inbox(
    staff: IntakeReader,
    session: SessionDep,
    request: Request,
    response: Response,
    state: StateQuery = None,
    assigned_to: Annotated[
        LineQuery,
        Query(description="Only requests of this person. Empty: only requests without a person."),
    ] = None,
    quarantined: Annotated[
        FlagQuery,
        Query(description="`true`: only suspected spam. `false`: only the other requests."),
    ] = None,
    older_than_days: Annotated[
        DaysQuery, Query(description="Only requests that are at least so many days old.")
    ] = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> RequestList:
    """The requests, the newest first. The list contains nothing that a person typed."""
    wanted = inbox.Filter(state, assigned_to, quarantined, older_than_days)
    page = inbox.list_inbox(session, wanted=wanted, limit=limit, after=cursor)
    return RequestList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "description": "One line for each request, the oldest first (RFC 4180, UTF-8). A value "
            "that a spreadsheet would read as a formula begins with an apostrophe. The column "
            "`damaged` names the parts that cannot be opened any more; their cells are empty.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
def export_consultation_requests(
    staff: IntakeExporter, request: Request, keyring: KeyringDep, state: StateQuery = None
) -> Response:
    """All requests with their notes, as CSV. Each page of it is recorded in the audit."""
    pages = export.export_requests(
        runtime_of(request).write_queue, keyring=keyring, actor=staff.id, state=state
    )
    # Reads the first page before the answer begins, so that its faults can still get a status.
    head, first = next(pages), next(pages)
    return StreamingResponse(
        chain([head, first], pages),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="consultation-requests.csv"'},
    )


@router.get("/{id:request_id}", responses={200: TAGGED, **responses(NotFound, RecordDamaged)})
def open_consultation_request(
    staff: IntakeReader,
    session: WriteSessionDep,
    keyring: KeyringDep,
    response: Response,
    request_id: RequestId,
) -> RequestPublic:
    """One request, decrypted. Each read is recorded in the audit."""
    row = _require_found(session.get(ConsultationRequest, request_id))
    set_entity_tag(response, row.version)
    return read_request(session, row=row, keyring=keyring, actor=staff.id)


@router.patch(
    "/{id:request_id}",
    responses={200: TAGGED, **WRITES, **BODIES, **responses(TransitionNotAllowed)},
)
def change_consultation_request(
    staff: IntakeWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    settings: SettingsDep,
    response: Response,
    request_id: RequestId,
    body: Annotated[RequestChange, Parsed],
    if_match: IfMatch = None,
) -> RequestSummary:
    """Change the state of a request, assign it, put it into quarantine or release it."""
    row = _require_found(inbox.find_for_change(session, request_id=request_id))
    require_match(if_match, version=row.version)
    try:
        inbox.change_request(
            session, row=row, change=body, retention=settings.retention, actor=staff.id
        )
    except inbox.TransitionNotAllowed:
        raise TransitionNotAllowed from None
    set_entity_tag(response, row.version)
    return RequestSummary.model_validate(row)


@router.post(
    "/{id:request_id}/notes",
    status_code=201,
    responses={201: TAGGED, **WRITES, **BODIES, **responses(RequestWithdrawn)},
)
def create_note(
    staff: IntakeWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    keyring: KeyringDep,
    response: Response,
    request_id: RequestId,
    body: Annotated[NoteCreate, Parsed],
    if_match: IfMatch = None,
) -> RequestSummary:
    """Add a note. It is sealed like what the patient sent, and is erased together with it.

    A withdrawn request accepts no notes.
    """
    row = _require_found(inbox.find_for_change(session, request_id=request_id))
    require_match(if_match, version=row.version)
    try:
        inbox.add_note(
            session, row=row, text=body.text, author=staff.owner, keyring=keyring, actor=staff.id
        )
    except inbox.Withdrawn:
        raise RequestWithdrawn from None
    set_entity_tag(response, row.version)
    return RequestSummary.model_validate(row)


@router.delete("/{id:request_id}", status_code=204, responses=WRITES)
def erase_consultation_request(
    staff: IntakeEraser,
    session: WriteSessionDep,
    request_id: RequestId,
    if_match: IfMatch = None,
) -> None:
    """Erase a request permanently, with its notes, its consents and its receipt.

    The token needs `intake:read` and `intake:write`.
    """
    row = _require_found(inbox.find_for_change(session, request_id=request_id))
    require_match(if_match, version=row.version)
    session.expunge(row)
    erase(session, ids=[request_id])
    record_event(session, actor=staff.id, action=Action.REQUEST_ERASED, subject=request_id)


def _require_found(row: ConsultationRequest | None) -> ConsultationRequest:
    if row is None:
        raise NotFound
    return row
