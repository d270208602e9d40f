"""The clinic's state."""

from fastapi import APIRouter, Request, Response

from api import paths
from api.cache.policy import StatusRoute
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from data.documents.published import find_locale
from data.documents.status import find_status
from data.documents.status_history import list_effective_changes
from models.status import StatusPublic
from models.status_change import StatusChangeList

router = APIRouter(prefix=paths.STATUS, tags=["Clinic"], route_class=StatusRoute)


@router.get("")
def read_status(session: SessionDep) -> StatusPublic:
    """Whether the clinic is open, and whether it accepts requests. 200 also if it is closed."""
    locale = find_locale(session)
    return StatusPublic.of(find_status(session), form=paths.FORM, locale=locale)


@router.get("/history")
def list_status_changes(
    session: SessionDep,
    request: Request,
    response: Response,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> StatusChangeList:
    """The changes of the clinic's state that have taken effect, the latest first."""
    page = list_effective_changes(session, limit=limit, after=cursor)
    return StatusChangeList(data=list(page.items), meta=list_meta(session, page, request, response))
