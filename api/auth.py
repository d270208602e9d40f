"""Authenticates staff by a bearer token in the Authorization header (RFC 6750, section 2.1)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.concurrency import run_in_threadpool

from api.access_events import RefusedCall
from api.http.addresses import networks_of
from api.pages.openapi import operation_id
from api.problems.catalogue import Forbidden, Unauthorized
from api.problems.document import responses
from api.problems.http_problems import TooManyRequests
from api.runtime import runtime_of
from data.database import reading
from data.staff_tokens import find_token, is_use_due
from models.audit import Action, Details, listed
from models.staff_token import Scope, StaffToken

SCHEME = "staff"
CHALLENGE = {"WWW-Authenticate": "Bearer"}
# The rate of wrong tokens from one address, and the rate of calls without the needed scope from one
# token. Above it, the answer is 429.
REFUSED_RATE = "10 per minute"

# Each of them permits to read documents.
CONTENT_SCOPES = frozenset({Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH, Scope.CONTENT_REVIEW})

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name=SCHEME,
    description="A staff token: `python main.py token create` makes one.",
)


@dataclass(frozen=True)
class Staff:
    """The authenticated caller; `id` is the id of the token."""

    id: str
    owner: str
    token: StaffToken


def find_sent_token(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> StaffToken | None:
    """The token of the request; `None` if it is missing or not valid now."""
    if credentials is None:
        return None
    with reading(runtime_of(request).engine) as session:
        token = find_token(session, token=credentials.credentials)
        if token is not None:
            session.expunge(token)
    return token


async def authenticate(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    token: Annotated[StaffToken | None, Depends(find_sent_token)],
) -> Staff:
    """The caller, with all scopes that are needed.

    Raises `Unauthorized`, `TooManyRequests` or `Forbidden`.
    """
    is_enough = token is not None and set(needed.scopes) <= set(token.scopes)
    return await _admit(request, needed, credentials, token, is_enough=is_enough)


async def authenticate_reader(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    token: Annotated[StaffToken | None, Depends(find_sent_token)],
) -> Staff:
    """The caller, with one of the scopes for content. Raises the same as `authenticate`."""
    is_enough = token is not None and not CONTENT_SCOPES.isdisjoint(token.scopes)
    return await _admit(request, needed, credentials, token, is_enough=is_enough)


async def _admit(
    request: Request,
    needed: SecurityScopes,
    credentials: HTTPAuthorizationCredentials | None,
    token: StaffToken | None,
    *,
    is_enough: bool,
) -> Staff:
    if token is None:
        if credentials is not None:
            await _count_wrong_token(request)
        raise Unauthorized(headers=CHALLENGE)
    if is_use_due(token):
        runtime_of(request).access.record_use_soon(token.id)
    if not is_enough:
        await _record_forbidden(request, token, needed)
        challenge = f'Bearer error="insufficient_scope", scope="{needed.scope_str}"'
        raise Forbidden(headers={"WWW-Authenticate": challenge})
    return Staff(token.id, token.owner, token)


async def _count_wrong_token(request: Request) -> None:
    if await run_in_threadpool(_count_refusal, request, _address(request)):
        # One event for each address and time window, so that a flood does not fill the audit.
        details: Details = {"address": _address_digest(request)}
        await _record(request, RefusedCall(Action.TOKENS_REFUSED, None, details))


async def _record_forbidden(request: Request, token: StaffToken, needed: SecurityScopes) -> None:
    # Each 403 is recorded. A flood gets 429 instead, which is not recorded.
    await run_in_threadpool(_count_refusal, request, token.id)
    details: Details = {
        "operation": operation_id(request.scope["route"]),
        "scopes": listed(needed.scopes),
        "address": _address_digest(request),
    }
    await _record(request, RefusedCall(Action.TOKEN_FORBIDDEN, token.id, details))


def _count_refusal(request: Request, key: str) -> bool:
    """Counts a refused call; returns whether the rate is now used up.

    Raises `TooManyRequests` if it was used up before.
    """
    limiter = runtime_of(request).refused_limiter
    limiter.hit(key)
    return not limiter.is_within(key)


async def _record(request: Request, refusal: RefusedCall) -> None:
    access = runtime_of(request).access
    await access.record(refusal)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _address_digest(request: Request) -> str:
    """A keyed digest: events of one address can be recognised without storing the address."""
    keyring = runtime_of(request).keyring
    return keyring.digests("address", networks_of(_address(request))[0].encode())[0].hex()


NEEDS_TOKEN = responses(Unauthorized, TooManyRequests)
NEEDS_SCOPE = responses(Forbidden)

AnyStaff = Annotated[Staff, Security(authenticate)]
Admin = Annotated[Staff, Security(authenticate, scopes=[Scope.ADMIN])]
StatusWriter = Annotated[Staff, Security(authenticate, scopes=[Scope.STATUS_WRITE])]
IntakeReader = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_READ])]
IntakeWriter = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_WRITE])]
# Erasing cannot be undone, so it also needs the right to read what is erased.
IntakeEraser = Annotated[
    Staff, Security(authenticate, scopes=[Scope.INTAKE_READ, Scope.INTAKE_WRITE])
]
ContentWriter = Annotated[Staff, Security(authenticate, scopes=[Scope.CONTENT_WRITE])]
ContentPublisher = Annotated[Staff, Security(authenticate, scopes=[Scope.CONTENT_PUBLISH])]
ContentReader = Annotated[Staff, Security(authenticate_reader, scopes=[Scope.CONTENT_WRITE])]
# For the OpenAPI entry of a route with `ContentReader`: the scopes that are enough instead.
ALSO_CONTENT_READERS = {
    "security": [{SCHEME: [scope]} for scope in sorted(CONTENT_SCOPES - {Scope.CONTENT_WRITE})]
}
IntakeExporter = Annotated[Staff, Security(authenticate, scopes=[Scope.INTAKE_EXPORT])]
