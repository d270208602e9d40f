"""Staff tokens, and who is calling."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import Admin, AnyStaff
from api.bodies import BodyRoute, JSONDep, Parsed
from api.dependencies import SessionDep, WriteSessionDep
from api.problem_details import responses
from api.problems import (
    ContentTooLarge,
    InvalidRequest,
    MalformedJSON,
    NotFound,
    UnsupportedMediaType,
)
from api.queries import CursorQuery, LimitQuery, list_meta
from data import staff_tokens
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
    """Who is calling, and what they may do."""
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
    """Every token that was ever made, the newest first; never its secret."""
    page = staff_tokens.list_tokens(session, limit=limit, after=cursor)
    return StaffTokenList(data=list(page.items), meta=list_meta(page, request, response))


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
    """Make a token. What it is good for and for how long is fixed from then on."""
    return staff_tokens.create_token(session, token=body, actor=staff.id)


@router.delete("/{id}", responses=responses(NotFound))
def revoke_staff_token(
    staff: Admin,
    session: WriteSessionDep,
    token_id: Annotated[str, Path(alias="id", pattern="^[0-9a-f]{12}$", description="`id`.")],
) -> StaffTokenPublic:
    """Revoke a token: from now on it is refused. It stays in the list."""
    row = staff_tokens.revoke_token(session, token_id=token_id, actor=staff.id)
    if row is None:
        raise NotFound
    return StaffTokenPublic.model_validate(row)
