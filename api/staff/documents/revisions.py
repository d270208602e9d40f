"""Revisions of a document: staff lists, reads and blanks them."""

from fastapi import APIRouter, Request, Response

from api.auth import ALSO_CONTENT_READERS, Admin, ContentReader
from api.dependencies import SessionDep, WriteSessionDep
from api.http.cursors import CursorQuery
from api.http.preconditions import TAGGED, IfMatch
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import NotFound, RevisionInUse
from api.problems.document import responses
from api.staff.documents.named_document import (
    CHANGES,
    ONE,
    KeyDep,
    RevisionNumber,
    content_of,
    editor_of,
    require_document,
    require_for_change,
    set_tag,
)
from data.documents import editing
from data.documents.editing import blank_document_revision
from data.documents.publication_lists import line_of, list_revisions
from data.documents.revisions import find_revision
from models.document import DocumentKey, Revision
from models.document_output import RevisionList, RevisionPublic

router = APIRouter(prefix=f"{ONE}/revisions")


@router.get("", responses=responses(NotFound), openapi_extra=ALSO_CONTENT_READERS)
def list_document_revisions(
    staff: ContentReader,
    session: SessionDep,
    request: Request,
    response: Response,
    key: KeyDep,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> RevisionList:
    """All revisions of a document without their contents, the newest first."""
    document = require_document(session, key)
    page = list_revisions(session, document=document, limit=limit, after=cursor)
    return RevisionList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.get("/{revision}", responses=responses(NotFound), openapi_extra=ALSO_CONTENT_READERS)
def read_document_revision(
    staff: ContentReader, session: SessionDep, key: KeyDep, revision: RevisionNumber
) -> RevisionPublic:
    """One revision with its content."""
    document = require_document(session, key)
    return _public(key, find_revision(session, document=document, number=int(revision)))


@router.delete("/{revision}", responses={200: TAGGED, **CHANGES, **responses(RevisionInUse)})
def blank_revision(
    staff: Admin,
    session: WriteSessionDep,
    response: Response,
    key: KeyDep,
    revision: RevisionNumber,
    if_match: IfMatch = None,
) -> RevisionPublic:
    """Remove the content of a revision permanently, for example personal data.

    Its number, its author and its time stay. A revision that is public, planned, or can become
    public again is refused.
    """
    document = require_for_change(session, key, if_match=if_match)
    try:
        blanked = blank_document_revision(
            session, document=document, number=int(revision), editor=editor_of(staff)
        )
    except editing.RevisionInUse:
        raise RevisionInUse from None
    set_tag(response, session, document)
    return _public(key, blanked)


def _public(key: DocumentKey, revision: Revision | None) -> RevisionPublic:
    if revision is None:
        raise NotFound
    return RevisionPublic.model_validate(
        {
            **line_of(revision).model_dump(),
            "kind": key.kind.value,
            "content": content_of(key, revision),
        }
    )
