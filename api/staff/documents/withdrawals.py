"""Withdrawals of a document. They are listed and called off among its publications."""

from typing import Annotated

from fastapi import APIRouter, Response

from api.auth import ContentPublisher
from api.dependencies import WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.preconditions import TAGGED, IfMatch
from api.problems.catalogue import DocumentNotPublished, DocumentPermanent
from api.problems.document import responses
from api.problems.validation import refused
from api.staff.documents.named_document import (
    BODIES,
    CHANGES,
    ONE,
    KeyDep,
    editor_of,
    require_for_change,
    set_tag,
)
from data.documents import publication_changes
from data.documents.publication_changes import NeverPublished, Refused, withdraw_document
from models.document_input import WithdrawalCreate
from models.document_output import WithdrawalRecorded

router = APIRouter(route_class=BodyRoute)


@router.post(
    f"{ONE}/withdrawals",
    status_code=201,
    responses={
        201: TAGGED,
        **CHANGES,
        **BODIES,
        **responses(DocumentPermanent, DocumentNotPublished),
    },
)
def withdraw_staff_document(
    staff: ContentPublisher,
    _json: JSONDep,
    session: WriteSessionDep,
    response: Response,
    key: KeyDep,
    body: Annotated[WithdrawalCreate, Parsed],
    if_match: IfMatch = None,
) -> WithdrawalRecorded:
    """Withdraw a section or an FAQ, now or at a later time.

    Its address then answers 410 with the reason, or redirects to the text that replaces it (308).
    FAQs of a withdrawn section stay public without a section. Another publication of the document
    brings the text back.
    """
    document = require_for_change(session, key, if_match=if_match)
    try:
        row = withdraw_document(
            session, document=document, withdrawal=body, editor=editor_of(staff)
        )
    except publication_changes.PermanentDocument:
        raise DocumentPermanent from None
    except NeverPublished:
        raise DocumentNotPublished from None
    except Refused as error:
        raise refused(error.faults) from None
    set_tag(response, session, document)
    return WithdrawalRecorded.model_validate(row.model_dump())
