"""Who is calling: a staff token in the Authorization header (RFC 6750), and nowhere else."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.problem_details import responses
from api.problems import Forbidden, TooManyRequests, Unauthorized
from data.audit import record_event
from data.database import reading, writing
from data.staff_tokens import find_token, is_use_due, note_use
from models.audit import NOBODY, Action
from models.staff_token import Scope, StaffToken

SCHEME = "staff"
# So many wrong tokens an address may try before it is told to wait.
REFUSED_RATE = "10 per minute"

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name=SCHEME,
    description="A staff token: `python main.py token create` makes one.",
)


@dataclass(frozen=True)
class Staff:
    """The caller, by its token."""

    id: str
    owner: str
    token: StaffToken


def authenticate(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Staff:
    """Raises `Unauthorized`, `TooManyRequests` or `Forbidden`."""
    engine: Engine = request.app.state.engine
    with reading(engine) as session:
        token = find_token(session, token=credentials.credentials) if credentials else None
        if token is not None:
            session.expunge(token)
    if token is None:
        if credentials is not None:
            _count_refusal(request, engine)
        raise Unauthorized(headers={"WWW-Authenticate": "Bearer"})
    if is_use_due(token):
        # Who is let in does not depend on whether this can be written now.
        with suppress(DBAPIError), writing(engine) as session:
            note_use(session, token_id=token.id)
    if not set(needed.scopes) <= set(token.scopes):
        challenge = f'Bearer error="insufficient_scope", scope="{needed.scope_str}"'
        raise Forbidden(headers={"WWW-Authenticate": challenge})
    return Staff(token.id, token.owner, token)


def _count_refusal(request: Request, engine: Engine) -> None:
    limiter = request.app.state.refused_limiter
    address = request.client.host if request.client else ""
    limiter.hit(address)
    if not limiter.is_within(address):
        # Once for each address and window, so that a flood does not fill the audit.
        with suppress(DBAPIError), writing(engine) as session:
            record_event(session, actor=NOBODY, action=Action.TOKENS_REFUSED)


GUARDED = responses(Unauthorized, TooManyRequests)
NEEDS_SCOPE = responses(Forbidden)

AnyStaff = Annotated[Staff, Security(authenticate)]
Admin = Annotated[Staff, Security(authenticate, scopes=[Scope.ADMIN])]
StatusWriter = Annotated[Staff, Security(authenticate, scopes=[Scope.STATUS_WRITE])]
IntakeReader = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_READ])]
IntakeWriter = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_WRITE])]
IntakeExporter = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_EXPORT])]
