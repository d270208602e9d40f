"""Authentication and scopes of staff: valid, wrong, expired and revoked tokens."""

import asyncio
import re
import time
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from data.database import writing
from models.audit import AuditEvent
from models.staff_token import StaffToken
from models.values import utc_now
from tests.support.apps import client_of, running
from tests.support.commands import invoke
from tests.support.document import UNKNOWN_ID, operations
from tests.support.intake import faults, problem
from tests.support.repetitions import repetitions
from tests.support.staff import STAFF, signed_in
from tests.support.waiting import PATIENCE

OPERATIONS = sorted(
    (operation["operationId"], method, path, operation["security"][0].get("staff"))
    for method, path, operation in operations()
    if path.startswith(STAFF)
)
WRONG = {
    "none": (401, "unauthorized"),
    "unknown": (401, "unauthorized"),
    "malformed": (401, "unauthorized"),
    "other scheme": (401, "unauthorized"),
    "in the query": (400, "invalid-query"),
    "expired": (401, "unauthorized"),
    "revoked": (401, "unauthorized"),
    "wrong scope": (403, "forbidden"),
}


def test_every_staff_operation_names_its_scope() -> None:
    """Each staff operation requires a scope, except `me`."""
    assert len(OPERATIONS) >= 17
    for operation, _, _, scopes in OPERATIONS:
        assert scopes is not None, operation
        assert bool(scopes) is (operation != "readStaffMe"), operation


def change_tokens(engine: Engine, **values: object) -> None:
    """Sets columns of all staff tokens."""
    with Session(engine) as session:
        for row in session.exec(select(StaffToken)):
            for name, value in values.items():
                setattr(row, name, value)
        session.commit()


@pytest.mark.parametrize("wrong", WRONG)
async def test_each_operation_refuses_wrong_tokens(
    app: FastAPI, engine: Engine, wrong: str
) -> None:
    """Each operation answers each kind of wrong token with the exact problem."""
    for number, (operation, method, path, scopes) in enumerate(OPERATIONS):
        # Each call has its own address: wrong tokens are counted by address.
        async with client_of(app, f"198.51.100.{number}") as client:
            url = path.replace("{id}", "0" * 12 if "tokens" in path else UNKNOWN_ID)
            token, headers, url = wrong_in_one_way(engine, wrong, url, scopes)
            answer = await client.request(method.upper(), url, headers=headers)
        if wrong == "wrong scope" and not scopes:
            assert answer.status_code == 200
            continue
        problem(answer, *WRONG[wrong])
        assert token.split("_", 2)[2] not in answer.text, operation
        if answer.status_code != 400:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def wrong_in_one_way(
    engine: Engine, wrong: str, url: str, scopes: list[str]
) -> tuple[str, list[tuple[bytes, bytes]], str]:
    """A token, the header fields to send, and the URL."""
    others = {"admin", "content:write", "intake:read", "intake:write", "status:write"}
    staff = signed_in(engine, *(sorted(others - set(scopes)) if wrong == "wrong scope" else ()))
    token = staff["Authorization"]
    match wrong:
        case "none":
            staff = {}
        case "unknown":
            staff = {"Authorization": token[:-4] + "AAAA"}
        case "malformed":
            staff = {"Authorization": "Bearer \xe4"}
        case "other scheme":
            staff = {"Authorization": token.replace("Bearer", "Basic")}
        case "in the query":
            url, staff = f"{url}?token={token.partition(' ')[2]}", {}
        case "expired":
            change_tokens(engine, expires_at=utc_now())
        case "revoked":
            change_tokens(engine, revoked_at=utc_now())
    raw = [(name.encode(), value.encode("latin-1")) for name, value in staff.items()]
    return token, raw, url


async def test_me(client: httpx.AsyncClient, engine: Engine) -> None:
    """A token shows its owner, its scopes and its expiry."""
    staff = signed_in(engine, "intake:read", "admin", owner="Ada")
    me = (await client.get(f"{STAFF}/me", headers=staff)).json()
    assert (me["owner"], me["scopes"]) == ("Ada", ["admin", "intake:read"])
    assert set(me) == {"id", "owner", "scopes", "expires_at"}


async def test_a_token_is_created_used_and_revoked(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine
) -> None:
    """A new token is shown once; a revoked one is refused; the audit has each step."""
    admin = signed_in(engine, "admin", "intake:read")
    made = await client.post(
        f"{STAFF}/tokens", json={"owner": "Ada", "scopes": ["intake:read"]}, headers=admin
    )
    assert made.status_code == 201
    issued: dict[str, Any] = made.json()
    assert re.fullmatch(rf"clinic_{issued['id']}_[\w-]{{43}}", issued["token"])
    secret = issued["token"].split("_", 2)[2]
    with Session(engine) as session:
        row = session.get_one(StaffToken, issued["id"])
        assert secret.encode() not in row.secret_hash
        assert row.expires_at - row.created_at <= timedelta(days=30)
    listed = (await client.get(f"{STAFF}/tokens", headers=admin)).json()
    assert listed["meta"]["total"] == 2
    assert secret not in str(listed)
    staff = {"Authorization": f"Bearer {issued['token']}"}
    assert listed["data"][0]["last_used_at"] is None
    assert (await client.get(f"{STAFF}/me", headers=staff)).status_code == 200
    await app.state.runtime.access.finish()
    used = (await client.get(f"{STAFF}/tokens?limit=1", headers=admin)).json()["data"][0]
    assert used["last_used_at"] is not None
    for _ in range(2):
        revoked = await client.delete(f"{STAFF}/tokens/{issued['id']}", headers=admin)
        assert revoked.json()["revoked_at"] is not None
    problem(await client.get(f"{STAFF}/me", headers=staff), 401, "unauthorized")
    with Session(engine) as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.subject == issued["id"])).all()
    assert [event.action for event in events] == [
        "token.created", "token.used", "token.revoked",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("#/owner", "owner.required"), ("#/scopes", "scopes.required")]),
        (
            {"owner": " ", "scopes": []},
            [("#/owner", "owner.required"), ("#/scopes", "scopes.required")],
        ),
        (
            {"owner": "a\nb", "scopes": ["root"]},
            [("#/owner", "owner.invalid"), ("#/scopes/0", "scopes.invalid")],
        ),
        (
            {"owner": "a", "scopes": ["admin"], "expires_in_days": 366},
            [("#/expires_in_days", "expires_in_days.too_large")],
        ),
        (
            {"owner": "a", "scopes": ["admin"], "expires_in_days": 0},
            [("#/expires_in_days", "expires_in_days.too_small")],
        ),
        ({"owner": "a", "scopes": ["admin"], "id": "x"}, [("#/id", "body.unknown_field")]),
    ],
)  # fmt: skip
async def test_invalid_tokens_are_not_created(
    client: httpx.AsyncClient, engine: Engine, body: object, expected: list[tuple[str, str]]
) -> None:
    """All faults are reported at once, each with its code; a token lasts at most 365 days."""
    answer = await client.post(f"{STAFF}/tokens", json=body, headers=signed_in(engine, "admin"))
    assert faults(answer) == expected
    assert all(fault["detail"] for fault in answer.json()["errors"])


@pytest.mark.parametrize("times", repetitions(150, soak=1_000))
async def test_wrong_tokens_are_limited(folder: Path, times: int) -> None:
    """After ten wrong tokens in a minute an address gets 429; valid tokens still work."""
    wrong = {"Authorization": "Bearer clinic_000000000000_" + "A" * 43}
    async with running(folder) as app, client_of(app) as client, client_of(app, "::1") as other:
        staff = signed_in(app.state.runtime.engine)
        begun = time.monotonic()
        statuses = [
            (await client.get(f"{STAFF}/me", headers=wrong)).status_code for _ in range(times)
        ]
        assert statuses[:11] == [401] * 10 + [429]
        # On a slow machine the test lasts longer than one window.
        windows = 2 + int((time.monotonic() - begun) / 60)
        assert statuses.count(429) >= times - 10 * windows
        answer = await client.get(f"{STAFF}/me", headers=wrong)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["RateLimit"].startswith('"refused-tokens";r=0;t=')
        assert (await other.get(f"{STAFF}/me", headers=wrong)).status_code == 401
        assert (await client.get(f"{STAFF}/me", headers=staff)).status_code == 200
        with Session(app.state.runtime.engine) as session:
            events = [
                event for event in session.exec(select(AuditEvent))
                if event.action == "tokens.refused"
            ]  # fmt: skip
    # One event after ten refusals, and one for each later 401 that the moving window allows.
    assert 1 <= len(events) <= statuses.count(401) - 9
    digests = {str(event.details["address"]) for event in events}
    assert [len(digest) for digest in digests] == [64]
    assert "127.0.0.1" not in str(events)


def test_tokens_by_command(folder: Path) -> None:
    """The commands create, list and revoke tokens; standard output has only the token."""
    made = invoke(
        "token", "create", "--owner", "Front desk", "--scope", "intake:read", "--days", "7",
        folder=folder,
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    [token] = made.stdout.splitlines()
    token_id = token.split("_")[1]
    listed = invoke("token", "list", folder=folder).stdout
    assert token_id in listed
    assert "Front desk" in listed
    assert token not in listed
    assert invoke("token", "revoke", token_id, folder=folder).exit_code == 0
    assert "revoked" in invoke("token", "list", folder=folder).stdout
    unknown = invoke("token", "revoke", "0" * 12, folder=folder)
    assert (unknown.exit_code, unknown.stderr) == (1, "clinic-api: there is no such token\n")
    refused = invoke("token", "create", "--owner", "x", "--scope", "root", folder=folder)
    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 1


async def test_using_a_token_does_not_need_the_write_lock(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """A token is accepted while a write transaction is open."""
    staff = signed_in(engine, "admin")

    begun, answered = Event(), Event()

    def write_until_answered() -> None:
        with writing(engine) as session:
            session.connection()
            begun.set()
            assert answered.wait(PATIENCE)

    writer = asyncio.create_task(asyncio.to_thread(write_until_answered))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    try:
        assert (await client.get(f"{STAFF}/me", headers=staff)).status_code == 200
    finally:
        answered.set()
        await writer
