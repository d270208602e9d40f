"""The receipt of a consultation request: reads and checks its id and its token."""

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from api.problems.catalogue import NotFound
from api.runtime import runtime_of
from data.database import reading
from data.intake import requests as consultation_requests
from models.consultation_request import ConsultationRequest

ReceiptToken = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            auto_error=False,
            scheme_name="receipt",
            description="`receipt_token` of the accepted request.",
        )
    ),
]
RequestId = Annotated[
    str,
    Path(
        alias="id",
        # Only for the document; `read_receipt` checks it. FastAPI would check a real pattern only
        # after all dependencies.
        json_schema_extra={"pattern": "^[0-9a-f-]{36}$"},
        description="`id` of the accepted request.",
    ),
]
_REQUEST_ID = re.compile("[0-9a-f-]{36}")


class Receipt(NamedTuple):
    """The id of a request, and the token of its receipt; `None` if no token was sent."""

    request_id: str
    token: str | None


async def read_receipt(request_id: RequestId, token: ReceiptToken) -> Receipt:
    if not _REQUEST_ID.fullmatch(request_id):
        raise NotFound
    return Receipt(request_id, token.credentials if token else None)


ReceiptDep = Annotated[Receipt, Depends(read_receipt)]


def require_request(session: Session, receipt: Receipt) -> ConsultationRequest:
    """The request of the receipt. Raises `NotFound` for a wrong id or token."""
    row = consultation_requests.find_request_by_receipt(
        session, request_id=receipt.request_id, token=receipt.token
    )
    if row is None:
        raise NotFound
    return row


def refuse_wrong_receipt(request: Request, receipt: ReceiptDep) -> None:
    """Raises `NotFound` for a wrong receipt, before the request takes a slot of the writers."""
    with reading(runtime_of(request).engine) as session:
        require_request(session, receipt)
