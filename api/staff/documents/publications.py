"""Publications of a document: staff lists, records and calls them off."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import ALSO_CONTENT_READERS, ContentPublisher, ContentReader
from api.dependencies import SessionDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.preconditions import TAGGED, IfMatch
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import AlreadyInEffect, NotFound
from api.problems.document import responses
from api.problems.validation import refused
from api.staff.documents.named_document import (
    BODIES,
    CHANGES,
    ONE,
    KeyDep,
    editor_of,
    require_document,
    require_for_change,
    set_tag,
)
from data.documents import publication_changes
from data.documents.publication_changes import Refused, call_off_publication, publish_revision
from data.documents.publication_lists import (
    describe_publication,
    list_planned_publications,
    list_publications,
)
from models.document_input import PublicationCreate
from models.document_output import PublicationList, PublicationRecorded, StaffPublication

router = APIRouter(prefix=f"{ONE}/publications", route_class=BodyRoute)


@router.get("", responses=responses(NotFound), openapi_extra=ALSO_CONTENT_READERS)
def list_document_publications(
    staff: ContentReader,
    session: SessionDep,
    request: Request,
    response: Response,
    key: KeyDep,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> PublicationList:
    """All publications and withdrawals of a document, the newest first.

    One whose `state` is `planned` can be called off.
    """
    document = require_document(session, key)
    page = list_publications(session, document=document, limit=limit, after=cursor)
    return PublicationList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.post("", status_code=201, responses={201: TAGGED, **CHANGES, **BODIES})
def publish_document(
    staff: ContentPublisher,
    _json: JSONDep,
    session: WriteSessionDep,
    response: Response,
    key: KeyDep,
    body: Annotated[PublicationCreate, Parsed],
    if_match: IfMatch = None,
) -> PublicationRecorded:
    """Publish a revision, now or at a later time. An older revision restores its content.

    Of several publications whose time has come, the one with the latest `from` is in effect, and of
    several of these the newest one. A new publication calls off no plan: `planned` lists the plans
    that stay, so that you can call them off.

    A publication is refused if the text has a fault, or if another text would get one, for example
    because it uses a notice that the revision no longer has. A consent of the form whose text
    changed needs a higher `version`.
    """
    document = require_for_change(session, key, if_match=if_match)
    try:
        row = publish_revision(
            session, document=document, publication=body, editor=editor_of(staff)
        )
    except Refused as error:
        raise refused(error.faults) from None
    set_tag(response, session, document)
    return PublicationRecorded.model_validate(
        {
            **row.model_dump(),
            "revision": body.revision,
            "planned": list_planned_publications(session, document=document),
        }
    )


@router.delete("/{id}", responses={200: TAGGED, **CHANGES, **responses(AlreadyInEffect)})
def call_off_document_publication(
    staff: ContentPublisher,
    session: WriteSessionDep,
    response: Response,
    key: KeyDep,
    publication_id: Annotated[
        str, Path(alias="id", pattern="^[1-9][0-9]{0,8}$", description="`id` of the publication.")
    ],
    if_match: IfMatch = None,
) -> StaffPublication:
    """Call off a planned publication or withdrawal: it never takes effect. It stays in the list.

    A repeated call gets the same answer.
    """
    document = require_for_change(session, key, if_match=if_match)
    try:
        row = call_off_publication(
            session,
            document=document,
            publication_id=int(publication_id),
            editor=editor_of(staff),
        )
    except publication_changes.AlreadyInEffect:
        raise AlreadyInEffect from None
    if row is None:
        raise NotFound
    set_tag(response, session, document)
    return describe_publication(session, document=document, publication=row)
