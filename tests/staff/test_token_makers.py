"""A token cannot create a stronger token, and the tokens that it created are revoked with it."""

import asyncio
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.schema import migrate, revert
from models.audit import AuditEvent
from models.staff_token import StaffToken
from tests.support.commands import invoke
from tests.support.intake import faults, problem
from tests.support.staff import STAFF, signed_in, token_id

Headers = dict[str, str]
TOKENS = f"{STAFF}/tokens"


async def make(
    client: httpx.AsyncClient, maker: Headers, *scopes: str, days: int | None = None
) -> httpx.Response:
    body = {"owner": "Ada", "scopes": scopes, "expires_in_days": days}
    return await client.post(TOKENS, json=body, headers=maker)


async def made(client: httpx.AsyncClient, maker: Headers, *scopes: str) -> Headers:
    answer = await make(client, maker, *scopes)
    assert answer.status_code == 201, answer.text
    assert answer.json()["made_by"] == token_id(maker)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def is_good(client: httpx.AsyncClient, token: Headers) -> bool:
    return (await client.get(f"{STAFF}/me", headers=token)).status_code == 200


NOT_ALLOWED = ("#/scopes", "scopes.not_allowed")
TOO_LONG = ("#/expires_in_days", "expires_in_days.too_large")


@pytest.mark.parametrize(
    ("scopes", "days", "expected"),
    [
        (("intake:read",), 1, [NOT_ALLOWED]),
        (("admin", "intake:export"), 1, [NOT_ALLOWED]),
        (("admin",), 31, [TOO_LONG]),
        (("admin", "status:write"), 365, [NOT_ALLOWED, TOO_LONG]),
    ],
)
async def test_a_token_cannot_create_a_stronger_one(
    client: httpx.AsyncClient,
    engine: Engine,
    scopes: tuple[str, ...],
    days: int,
    expected: list[tuple[str, str]],
) -> None:
    """A scope that the maker lacks, and days beyond the maker's expiry, are faults."""
    answer = await make(client, signed_in(engine, "admin"), *scopes, days=days)
    assert faults(answer) == expected
    with Session(engine) as session:
        assert len(session.exec(select(StaffToken)).all()) == 1


@pytest.mark.parametrize("days", [None, 30, 29])
async def test_a_token_ends_with_its_maker_at_the_latest(
    client: httpx.AsyncClient, engine: Engine, days: int | None
) -> None:
    """A token expires with its maker, unless it is given fewer days."""
    maker = signed_in(engine, "admin")
    end = (await client.get(f"{STAFF}/me", headers=maker)).json()["expires_at"]
    answer = await make(client, maker, "admin", days=days)
    assert answer.status_code == 201
    assert (answer.json()["expires_at"] == end) is (days != 29)
    assert answer.json()["expires_at"] <= end


async def test_revoking_a_token_revokes_its_descendants(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """Revoking a token revokes all generations after it at once, each with its own event."""
    root = signed_in(engine, "admin")
    child = await made(client, root, "admin")
    sibling = await made(client, root, "admin")
    grandchild = await made(client, child, "admin")
    last = await made(client, grandchild, "admin")
    answer = await client.delete(f"{TOKENS}/{token_id(child)}", headers=root)
    assert answer.json()["revoked_at"] is not None
    family = [child, grandchild, last]
    assert [await is_good(client, token) for token in (root, sibling, *family)] == [
        True, True, False, False, False,
    ]  # fmt: skip
    with Session(engine) as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "token.revoked")).all()
        ends = {row.id: row.revoked_at for row in session.exec(select(StaffToken))}
    assert [(event.subject, event.details) for event in events] == [
        (token_id(child), {}),
        (token_id(grandchild), {"made_by": token_id(child)}),
        (token_id(last), {"made_by": token_id(grandchild)}),
    ]
    assert len({ends[token_id(token)] for token in family}) == 1


async def test_creating_while_the_maker_is_revoked(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """A token created while its maker is revoked is refused or revoked too."""
    root = signed_in(engine, "admin")
    for _ in range(20):
        maker = await made(client, root, "admin")
        answer, ended = await asyncio.gather(
            make(client, maker, "admin"),
            client.delete(f"{TOKENS}/{token_id(maker)}", headers=root),
        )
        assert ended.status_code == 200
        if answer.status_code != 201:
            problem(answer, 401, "unauthorized")
    with Session(engine) as session:
        left = session.exec(select(StaffToken).where(col(StaffToken.revoked_at).is_(None))).all()
    assert [row.id for row in left] == [token_id(root)]


async def test_tokens_of_the_command_line(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """A token from the command line has no maker and no limits; revoking it reports the others."""
    created = invoke(
        "token", "create", "--owner", "Ada", "--scope", "admin", "--days", "365",
        folder=folder,
    )  # fmt: skip
    token = {"Authorization": f"Bearer {created.stdout.strip()}"}
    await made(client, await made(client, token, "admin"), "admin")
    listed = (await client.get(TOKENS, headers=token)).json()["data"]
    assert listed[-1]["made_by"] is None
    ended = invoke("token", "revoke", token_id(token), folder=folder)
    assert ended.stdout.splitlines() == [
        f"{token_id(token)} is revoked.",
        "Also revoked, because it made them: 2",
    ]


async def test_the_migration_sets_the_makers(client: httpx.AsyncClient, engine: Engine) -> None:
    """The migration finds the makers of existing tokens in the audit."""
    root = signed_in(engine, "admin")
    child = await made(client, root, "admin")
    revert(engine, to="0003")
    migrate(engine)
    with Session(engine) as session:
        makers = {row.id: row.made_by for row in session.exec(select(StaffToken))}
    assert makers == {token_id(root): None, token_id(child): token_id(root)}
