"""The clinic's state, changed by its staff."""

from typing import Annotated

from fastapi import APIRouter

from api.auth import StatusWriter
from api.bodies import BodyRoute, JSONDep, Parsed
from api.dependencies import SettingsDep, WriteSessionDep
from api.faults import told
from api.problem_details import responses
from api.problems import ContentTooLarge, InvalidRequest, MalformedJSON, UnsupportedMediaType
from data.audit import record_event
from data.closing import close_out_where_closed
from data.status import ReopeningPassed, record_status_change
from models.audit import Action
from models.status_change import StatusChangePublic, StatusChangeRecorded, StatusChangeRequest

router = APIRouter(prefix="/v1/staff/status-changes", route_class=BodyRoute)

EXPORT_PATH = "/v1/staff/consultation-requests/export?state=closed_out"


@router.post(
    "",
    status_code=201,
    responses=responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest),
)
def create_status_change(
    staff: StatusWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    settings: SettingsDep,
    body: Annotated[StatusChangeRequest, Parsed],
) -> StatusChangeRecorded:
    """Change the clinic's state, now or at a time to come.

    Closing for good needs `"confirm": "permanently_closed"`. When it takes effect, every request
    that is still open is closed out and its retention begins; `handover_export` is where whoever
    takes over the records finds them.
    """
    try:
        change = record_status_change(session, change=body.change)
    except ReopeningPassed:
        raise told(("#/reopens_on", "reopens_on.passed")) from None
    record_event(
        session,
        actor=staff.id,
        action=Action.STATUS_CHANGED,
        details={"state": change.state, "mode": change.mode},
    )
    closed_out = close_out_where_closed(session, retention=settings.retention, actor=staff.id)
    return StatusChangeRecorded(
        **StatusChangePublic.model_validate(change).model_dump(),
        closed_out=closed_out,
        handover_export=EXPORT_PATH if closed_out else None,
    )
