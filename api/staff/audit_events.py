"""The audit events, for staff."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from api.auth import Admin
from api.dependencies import SessionDep
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from data.audit import events as audit
from models.audit import AuditEventList

router = APIRouter(prefix="/v1/staff/audit-events")

# An id, or the kind, slug and locale of a document.
_SUBJECT = re.compile("[0-9a-f-]{1,36}|[a-z]{1,20}/[0-9a-z-]{1,80}/[0-9A-Za-z-]{1,35}")


def _check_subject(value: str) -> str:
    if not _SUBJECT.fullmatch(value):
        raise ValueError("must be a subject of an event")
    return value


SubjectQuery = Annotated[
    Annotated[str, AfterValidator(_check_subject)] | None,
    Query(
        description="Only events of the object with this id: a request, a token, a webhook, a "
        "delivery or a status change; or of a document, such as `section/visits/en-US`."
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
