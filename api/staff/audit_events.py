"""The audit events, for staff."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.auth import Admin
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from data.audit import events as audit
from models.audit import AuditEventList

router = APIRouter(prefix="/v1/staff/audit-events")

SubjectQuery = Annotated[
    str | None,
    Query(
        pattern="^[0-9a-f-]{1,36}$",
        description="Only events of the object with this id: a request, a token, a webhook, a "
        "delivery or a status change.",
    ),
]


@router.get("")
def list_audit_events(
    staff: Admin,
    session: SessionDep,
    request: Request,
    response: Response,
    subject: SubjectQuery = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> AuditEventList:
    """All changes by staff and all reads of a person's request, the newest first."""
    page = audit.list_events(session, limit=limit, after=cursor, subject=subject)
    return AuditEventList(data=list(page.items), meta=list_meta(session, page, request, response))
