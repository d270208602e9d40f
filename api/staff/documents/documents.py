"""Documents: staff lists, creates, reads and saves them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from api import paths
from api.auth import ALSO_CONTENT_READERS, ContentReader, ContentWriter
from api.dependencies import SessionDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.preconditions import TAGGED, IfMatch
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import NotFound, SlugTaken
from api.problems.document import responses
from api.problems.validation import invalid
from api.staff.documents.named_document import (
    BODIES,
    CHANGES,
    ONE,
    KeyDep,
    content_of,
    editor_of,
    require_document,
    require_for_change,
    set_tag,
)
from data.documents import editing
from data.documents.editing import ImpossibleName, create_document, save_document
from data.documents.listing import DocumentFilter, find_line, list_documents
from data.documents.revisions import find_newest_revision
from models.document import Document, DocumentKey, Kind
from models.document_input import DocumentCreate, DocumentInput
from models.document_output import DocumentList, DocumentPublic, DocumentState, ReviewState
from models.values import LOCALE_PATTERN

router = APIRouter(route_class=BodyRoute)

LocaleFilter = Annotated[
    str | None, Query(pattern=LOCALE_PATTERN, description="Only documents in this language.")
]
CREATED = {
    "headers": {
        **TAGGED["headers"],
        "Location": {"description": "Path of the document.", "schema": {"type": "string"}},
    }
}


@router.get(paths.DOCUMENTS, openapi_extra=ALSO_CONTENT_READERS)
def list_staff_documents(
    staff: ContentReader,
    session: SessionDep,
    request: Request,
    response: Response,
    kind: Annotated[Kind | None, Query(description="Only documents of this kind.")] = None,
    locale: LocaleFilter = None,
    state: Annotated[
        DocumentState | None, Query(description="Only documents in this state.")
    ] = None,
    review: Annotated[
        ReviewState | None, Query(description="Only documents with this state of review.")
    ] = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> DocumentList:
    """All documents without their contents, by kind, slug and locale.

    A document without revisions redirects its slug to another text.
    """
    wanted = DocumentFilter(kind, locale, state, review)
    page = list_documents(session, wanted=wanted, limit=limit, after=cursor)
    return DocumentList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.post(
    paths.DOCUMENTS,
    status_code=201,
    responses={201: CREATED, **BODIES, **responses(SlugTaken)},
)
def create_staff_document(
    staff: ContentWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    response: Response,
    body: Annotated[DocumentCreate, Parsed],
) -> DocumentPublic:
    """Create a document with its first revision. Nothing is public before a publication.

    Of the kinds `clinic`, `status`, `form`, `notices` and `synonyms` there is one document for each
    language.
    """
    new = body.root
    key = DocumentKey(Kind(new.kind), new.slug, new.locale)
    try:
        saved = create_document(
            session, key=key, content=new.content, editor=editor_of(staff), note=new.note
        )
    except ImpossibleName as impossible:
        raise invalid((f"#/{impossible.field}", f"{impossible.field}.invalid")) from None
    except editing.SlugTaken:
        raise SlugTaken from None
    set_tag(response, session, saved.document)
    response.headers["Location"] = ONE.format(**key._asdict())
    return _public(session, saved.document)


@router.get(
    ONE,
    responses={200: TAGGED, **responses(NotFound)},
    openapi_extra=ALSO_CONTENT_READERS,
)
def read_staff_document(
    staff: ContentReader, session: SessionDep, response: Response, key: KeyDep
) -> DocumentPublic:
    """One document with the content of its newest revision."""
    document = require_document(session, key)
    set_tag(response, session, document)
    return _public(session, document)


@router.put(ONE, responses={200: TAGGED, **CHANGES, **BODIES})
def save_staff_document(
    staff: ContentWriter,
    _json: JSONDep,
    session: WriteSessionDep,
    response: Response,
    key: KeyDep,
    body: Annotated[DocumentInput, Parsed],
    if_match: IfMatch = None,
) -> DocumentPublic:
    """Save another revision. It does not change what is public.

    The content replaces the content before. The same content again makes no new revision.
    """
    document = require_for_change(session, key, if_match=if_match)
    new = body.root
    if new.kind != key.kind:
        raise invalid(("#/kind", "kind.mismatch"))
    save_document(
        session, document=document, content=new.content, editor=editor_of(staff), note=new.note
    )
    set_tag(response, session, document)
    return _public(session, document)


def _public(session: Session, document: Document) -> DocumentPublic:
    newest = find_newest_revision(session, document=document)
    return DocumentPublic.model_validate(
        {
            **find_line(session, document=document).model_dump(),
            "kind": document.kind,
            "revision": newest and newest.number,
            "content": content_of(document.key, newest),
            "note": newest and newest.note,
        }
    )
