"""Status changes: staff lists, previews, records and calls them off."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api import paths
from api.auth import StatusWriter
from api.dependencies import SessionDep, SettingsDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.queries import FlagQuery, LimitQuery, list_meta
from api.problems.catalogue import AlreadyInEffect, InvalidRequest, MalformedJSON, NotFound
from api.problems.document import responses
from api.problems.http_problems import ContentTooLarge, UnsupportedMediaType
from api.problems.validation import invalid
from data.documents.published import find_published
from data.documents.status_history import list_all_changes
from data.operations import status_changes
from data.operations.status_changes import (
    ChangeEffects,
    EffectPassed,
    ImpossibleChange,
    ReopeningPassed,
    ReopeningTooEarly,
    call_off_change,
    change_status,
    preview_change,
)
from models.status_change import (
    PlannedStatusChange,
    StaffStatusChange,
    StaffStatusChangeList,
    Standing,
    StatusChangeRecorded,
    StatusChangeRequest,
)

router = APIRouter(prefix="/v1/staff/status-changes", route_class=BodyRoute)

EXPORT_PATH = f"{paths.STAFF}/consultation-requests/export?state=closed_out"
_FAULTS: dict[type[ImpossibleChange], tuple[str, str]] = {
    EffectPassed: ("#/effective_from", "effective_from.past"),
    ReopeningPassed: ("#/reopens_on", "reopens_on.passed"),
    ReopeningTooEarly: ("#/reopens_on", "reopens_on.too_early"),
}


@router.get("")
def list_staff_status_changes(
    staff: StatusWriter,
    session: SessionDep,
    request: Request,
    response: Response,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> StaffStatusChangeList:
    """All changes of the clinic's state, also planned and called-off ones.

    The change with the latest effect comes first. A change whose `status` is `planned` can be
    called off.
    """
    page = list_all_changes(session, limit=limit, after=cursor)
    return StaffStatusChangeList(
        data=list(page.items), meta=list_meta(session, page, request, response)
    )


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": StatusChangeRecorded, "description": "The effects of a dry run."},
        **responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest),
    },
)
def create_status_change(
    staff: StatusWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    settings: SettingsDep,
    response: Response,
    body: Annotated[StatusChangeRequest, Parsed],
    dry_run: Annotated[
        FlagQuery, Query(description="`true`: only return the effects, and change nothing.")
    ] = False,
) -> StatusChangeRecorded:
    """Change the clinic's state, now or at a later time.

    A planned change takes effect at its time. Other planned changes stay planned, even if the
    clinic opens while a closure is planned. `planned` lists them, so that you can call them off.

    A permanent closure needs `"confirm": "permanently_closed"`. It calls off the changes that were
    planned for its time or later. When it takes effect, all open requests are closed out and their
    retention begins. `handover_export` is the path of an export for the clinic's successor.
    """
    if not dry_run and not body.is_confirmed:
        raise invalid(("#/confirm", "confirm.unconfirmed"))
    try:
        if dry_run:
            response.status_code = 200
            return _public(preview_change(session, change=body), is_dry_run=True)
        return _public(
            change_status(session, change=body, retention=settings.retention, actor=staff.id)
        )
    except ImpossibleChange as impossible:
        raise invalid(_FAULTS[type(impossible)]) from None


@router.delete("/{id}", responses=responses(NotFound, AlreadyInEffect))
def call_off_status_change(
    staff: StatusWriter,
    session: WriteSessionDep,
    change_id: Annotated[
        str, Path(alias="id", pattern="^[1-9][0-9]{0,8}$", description="`id` of the change.")
    ],
) -> StaffStatusChange:
    """Call off a planned change: it never takes effect. It stays in the staff's list.

    An opening that was planned together with a closure is a separate change. A repeated call gets
    the same answer.
    """
    try:
        change = call_off_change(session, change_id=int(change_id), actor=staff.id)
    except status_changes.AlreadyInEffect:
        raise AlreadyInEffect from None
    if change is None:
        raise NotFound
    texts = find_published(session).status.texts
    return StaffStatusChange.with_standing(change, texts, Standing.CALLED_OFF)


def _public(effects: ChangeEffects, *, is_dry_run: bool = False) -> StatusChangeRecorded:
    change, texts = effects.change, effects.texts
    was_closed_out = effects.closes_out and not change.was_planned and not is_dry_run
    return StatusChangeRecorded(
        **PlannedStatusChange.of(change, texts).model_dump(),
        status=Standing.PLANNED if change.was_planned else Standing.IN_EFFECT,
        planned=[PlannedStatusChange.of(row, texts) for row in effects.planned],
        calls_off=[PlannedStatusChange.of(row, texts) for row in effects.calls_off],
        closes_out=effects.closes_out,
        handover_export=EXPORT_PATH if was_closed_out else None,
    )
