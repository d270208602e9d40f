"""Staff tokens, and the token of the caller."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import CHALLENGE, Admin, AnyStaff
from api.dependencies import SessionDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound, Unauthorized
from api.problems.document import responses
from api.problems.http_problems import ContentTooLarge, UnsupportedMediaType
from api.problems.validation import invalid
from data import staff_tokens
from data.staff_tokens import ExceedsMaker, MakerInvalid
from models.staff_token import (
    StaffMe,
    StaffTokenCreate,
    StaffTokenIssued,
    StaffTokenList,
    StaffTokenPublic,
)

me_router = APIRouter(prefix="/v1/staff/me")
router = APIRouter(prefix="/v1/staff/tokens", route_class=BodyRoute)


@me_router.get("")
def read_staff_me(staff: AnyStaff) -> StaffMe:
    """The owner and the scopes of the token of this call."""
    return StaffMe.model_validate(staff.token)


@router.get("")
def list_staff_tokens(
    staff: Admin,
    session: SessionDep,
    request: Request,
    response: Response,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> StaffTokenList:
    """All tokens, also revoked and expired ones, the newest first. Never their secrets."""
    page = staff_tokens.list_tokens(session, limit=limit, after=cursor)
    return StaffTokenList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.post(
    "",
    status_code=201,
    responses=responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest),
)
def create_staff_token(
    staff: Admin,
    _json: JSONDep,
    session: WriteSessionDep,
    body: Annotated[StaffTokenCreate, Parsed],
) -> StaffTokenIssued:
    """Create a token. Its scopes and its expiry cannot be changed later.

    The new token cannot have a scope that your token lacks (`scopes.not_allowed`), and cannot
    expire later than your token (`expires_in_days.too_large`). Without `expires_in_days`, it
    expires with your token at the latest.
    """
    try:
        return staff_tokens.create_token(session, token=body, maker_id=staff.id)
    except ExceedsMaker as excess:
        faults = {
            ("#/scopes", "scopes.not_allowed"): excess.by_scopes,
            ("#/expires_in_days", "expires_in_days.too_large"): excess.by_days,
        }
        raise invalid(*(fault for fault, applies in faults.items() if applies)) from None
    except MakerInvalid:
        raise Unauthorized(headers=CHALLENGE) from None


@router.delete("/{id}", responses=responses(NotFound))
def revoke_staff_token(
    staff: Admin,
    session: WriteSessionDep,
    token_id: Annotated[str, Path(alias="id", pattern="^[0-9a-f]{12}$", description="`id`.")],
) -> StaffTokenPublic:
    """Revoke a token and all tokens that it made. They stay in the list."""
    revocation = staff_tokens.revoke_token(session, token_id=token_id, actor=staff.id)
    if revocation is None:
        raise NotFound
    return StaffTokenPublic.model_validate(revocation.token)
