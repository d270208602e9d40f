"""Members of staff: their tokens, and their requests to the inbox."""

import httpx
from sqlalchemy import Engine

from data.database import writing
from data.staff_tokens import create_token
from models.staff_token import Scope, StaffTokenCreate
from tests.support.intake import JSON

STAFF = "/v1/staff"
INBOX = f"{STAFF}/consultation-requests"
EVERYTHING = tuple(Scope)


def signed_in(engine: Engine, *scopes: str, owner: str = "Front desk") -> dict[str, str]:
    """Creates a staff token, with all scopes by default; returns its `Authorization` header."""
    wanted = StaffTokenCreate.model_validate(
        {"owner": owner, "scopes": list(scopes or EVERYTHING), "expires_in_days": 30}
    )
    with writing(engine) as session:
        issued = create_token(session, token=wanted, maker_id=None)
    return {"Authorization": f"Bearer {issued.token}"}


def token_id(headers: dict[str, str]) -> str:
    """The public id in a staff token's `Authorization` header."""
    return headers["Authorization"].split("_")[1]


async def opened(
    client: httpx.AsyncClient, request_id: str, staff: dict[str, str]
) -> httpx.Response:
    """Reads a consultation request as staff."""
    answer = await client.get(f"{INBOX}/{request_id}", headers=staff)
    assert answer.status_code == 200, answer.text
    return answer


async def change(
    client: httpx.AsyncClient,
    request_id: str,
    staff: dict[str, str],
    *,
    version: int | None,
    **changes: object,
) -> httpx.Response:
    """Changes a consultation request; `version` becomes the `If-Match` header."""
    tag = {} if version is None else {"If-Match": f'"{version}"'}
    return await client.patch(f"{INBOX}/{request_id}", json=changes, headers={**staff, **tag})


async def note(
    client: httpx.AsyncClient, request_id: str, staff: dict[str, str], *, version: int, text: str
) -> httpx.Response:
    """Adds a note to a consultation request."""
    headers = {**staff, **JSON, "If-Match": f'"{version}"'}
    return await client.post(f"{INBOX}/{request_id}/notes", json={"text": text}, headers=headers)
