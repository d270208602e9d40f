"""The audit of access: first uses and refusals of staff tokens, with a limit for both."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.access_events import AccessRecorder
from data.database import count_writers, writing
from models.audit import AuditEvent
from models.staff_token import StaffToken
from tests.support.intake import problem
from tests.support.staff import INBOX, STAFF, signed_in, token_id

CLIENTS = 60


def events(engine: Engine, action: str) -> list[AuditEvent]:
    with Session(engine) as session:
        return list(session.exec(select(AuditEvent).where(AuditEvent.action == action)))


async def test_the_first_use_in_a_day(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine
) -> None:
    """The first use of a token on a day records one event, also with concurrent requests."""
    access: AccessRecorder = app.state.runtime.access
    staff = signed_in(engine, "admin")
    for days, expected in ((0, 1), (0, 1), (1, 2)):
        with writing(engine) as session:
            row = session.get_one(StaffToken, token_id(staff))
            row.last_used_at = row.last_used_at and row.last_used_at - timedelta(days=days)
        await asyncio.gather(*(client.get(f"{STAFF}/me", headers=staff) for _ in range(20)))
        await access.finish()
        used = events(engine, "token.used")
        assert [(e.actor, e.subject) for e in used] == [
            (token_id(staff), token_id(staff))
        ] * expected


async def test_each_403_leaves_an_event(client: httpx.AsyncClient, engine: Engine) -> None:
    """The event of a 403 has the operation, its scopes, and a keyed digest of the address."""
    staff = signed_in(engine, "intake:write")
    problem(await client.get(INBOX, headers=staff), 403, "forbidden")
    erasing = {**staff, "If-Match": '"1"'}
    unknown = f"{INBOX}/00000000-0000-4000-8000-000000000000"
    problem(await client.delete(unknown, headers=erasing), 403, "forbidden")
    first, second = events(engine, "token.forbidden")
    assert (first.actor, first.subject) == (token_id(staff), token_id(staff))
    assert (first.details["operation"], first.details["scopes"]) == ("listInbox", "intake:read")
    assert second.details["operation"] == "eraseConsultationRequest"
    assert second.details["scopes"] == "intake:read, intake:write"
    assert first.details["address"] == second.details["address"]
    assert len(str(first.details["address"])) == 64


async def test_repeated_403_are_limited(client: httpx.AsyncClient, engine: Engine) -> None:
    """After ten 403 in a minute a token gets 429 instead; its allowed calls still succeed."""
    staff, other = signed_in(engine, "intake:read"), signed_in(engine, "intake:read")
    url = f"{STAFF}/audit-events"
    statuses = [(await client.get(url, headers=staff)).status_code for _ in range(40)]
    assert statuses[:11] == [403] * 10 + [429]
    assert len(events(engine, "token.forbidden")) == statuses.count(403)
    assert (await client.get(INBOX, headers=staff)).status_code == 200
    assert (await client.get(url, headers=other)).status_code == 403


async def test_authentication_does_not_wait_for_writers(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine
) -> None:
    """60 tokens are accepted while the queue of writers is full; their use is recorded later."""
    tokens = [signed_in(engine, "intake:read") for _ in range(CLIENTS)]
    async with AsyncExitStack() as others:
        for _ in range(count_writers(engine)):
            await others.enter_async_context(app.state.runtime.write_queue.slot())
        requests = (client.get(f"{STAFF}/me", headers=token) for token in tokens)
        answers = await asyncio.gather(*requests)
        assert [answer.status_code for answer in answers] == [200] * CLIENTS
        assert events(engine, "token.used") == []
    await app.state.runtime.access.finish()
    assert len(events(engine, "token.used")) == CLIENTS


async def test_a_403_needs_its_audit_event(client: httpx.AsyncClient, engine: Engine) -> None:
    """If the event of a 403 cannot be recorded, the answer is a 503."""
    staff = signed_in(engine, "intake:read")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_event RENAME TO elsewhere")
    problem(await client.get(f"{STAFF}/tokens", headers=staff), 503, "unavailable")
    assert (await client.get(f"{STAFF}/me", headers=staff)).status_code == 200
