"""The document in the path of a request, and what the routes of documents share."""

from typing import Annotated

from fastapi import Depends, Path, Response
from sqlmodel import Session

from api import paths
from api.auth import Staff
from api.http.preconditions import require_match, set_entity_tag
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound
from api.problems.document import responses
from api.problems.http_problems import (
    ContentTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    UnsupportedMediaType,
)
from data.documents.editing import find_for_change, find_tag
from data.documents.revisions import find_document
from models.document import Document, DocumentKey, Editor, Kind, Revision
from models.document_content import read_stored
from models.values import LOCALE_PATTERN, SLUG_PATTERN, Input

# The path of one document.
ONE = f"{paths.DOCUMENTS}/{{kind}}/{{slug}}/{{locale}}"
BODIES = responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest)
CHANGES = responses(NotFound, PreconditionFailed, PreconditionRequired)


async def read_key(
    kind: Annotated[Kind, Path(description="Kind of the document.")],
    slug: Annotated[str, Path(pattern=SLUG_PATTERN, max_length=80, description="Its slug.")],
    locale: Annotated[str, Path(pattern=LOCALE_PATTERN, description="Its language.")],
) -> DocumentKey:
    return DocumentKey(kind, slug, locale)


KeyDep = Annotated[DocumentKey, Depends(read_key)]
RevisionNumber = Annotated[
    str, Path(alias="revision", pattern="^[1-9][0-9]{0,8}$", description="Number of the revision.")
]


def content_of(key: DocumentKey, revision: Revision | None) -> Input | None:
    """The content of a revision; `None` if there is none or it was blanked."""
    content = revision and revision.content
    return read_stored(key.kind, content) if content else None


def editor_of(staff: Staff) -> Editor:
    return Editor(actor=staff.id, name=staff.owner)


def require_document(session: Session, key: DocumentKey) -> Document:
    """The document. Raises `NotFound`."""
    document = find_document(session, key=key)
    if document is None:
        raise NotFound
    return document


def require_for_change(session: Session, key: DocumentKey, *, if_match: str | None) -> Document:
    """The document, which others cannot change until this transaction ends.

    Raises `NotFound`, `PreconditionRequired` or `PreconditionFailed`.
    """
    document = find_for_change(session, key=key)
    if document is None:
        raise NotFound
    require_match(if_match, version=find_tag(session, document=document))
    return document


def set_tag(response: Response, session: Session, document: Document) -> None:
    set_entity_tag(response, find_tag(session, document=document))
