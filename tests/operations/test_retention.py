"""Retention periods, erasure at their end, and the audit, which is kept."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from data.database import writing
from data.operations.upkeep import run_upkeep
from models.audit import AuditEvent
from models.consultation_request import Consent, ConsultationRequest, RequestState
from models.idempotency import IdempotencyRecord
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.commands import invoke
from tests.support.intake import PATH, bearer, count, post
from tests.support.staff import STAFF, change, signed_in

DAYS = {RequestState.DECLINED: 90, RequestState.WITHDRAWN: 1}


def let_time_pass(engine: Engine) -> None:
    """Ends the retention of all requests, and the time of all idempotency keys."""
    with Session(engine) as session:
        for row in session.exec(select(ConsultationRequest)):
            if row.retention_until:
                row.retention_until = utc_now() - timedelta(seconds=1)
        for record in session.exec(select(IdempotencyRecord)):
            record.expires_at = utc_now()
        session.commit()


async def test_retention_begins_with_a_final_state(folder: Path) -> None:
    """A final state sets `retention_until`, for staff and on the receipt."""
    async with running(folder, retention=DAYS) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        staff = signed_in(app.state.runtime.engine)
        accepted = await post(client)
        request_id = accepted.json()["id"]
        assert accepted.json()["retention_until"] is None
        moved = await change(client, request_id, staff, version=1, state="contacted")
        assert moved.json()["retention_until"] is None
        ended = await change(client, request_id, staff, version=2, state="declined")
        receipt = await client.get(f"{PATH}/{request_id}", headers=bearer(accepted))
        assert receipt.json()["retention_until"] == ended.json()["retention_until"] is not None
        with Session(app.state.runtime.engine) as session:
            row = session.get_one(ConsultationRequest, request_id)
            assert row.retention_until
            kept = row.retention_until - row.updated_at
            assert abs(kept - timedelta(days=90)) < timedelta(seconds=1)


async def test_expired_requests_are_erased(folder: Path) -> None:
    """After its retention a request is erased with its consents and answer, and this is audited."""
    async with running(folder, retention=DAYS) as app, client_of(app) as client:
        engine: Engine = app.state.runtime.engine
        set_status(engine, state="open")
        gone = await post(client, key="key-of-the-first")
        stays = await post(client)
        await client.post(f"{PATH}/{gone.json()['id']}/withdrawal", headers=bearer(gone))
        await run_upkeep(engine, retention=DAYS, queue=app.state.runtime.write_queue)
        assert count(engine) == 2
        let_time_pass(engine)
        await run_upkeep(engine, retention=DAYS, queue=app.state.runtime.write_queue)
        with Session(engine) as session:
            assert [row.id for row in session.exec(select(ConsultationRequest))] == [
                stays.json()["id"]
            ]
            events = session.exec(
                select(AuditEvent).where(AuditEvent.action == "requests.purged")
            ).all()
        assert (count(engine, Consent), count(engine, IdempotencyRecord)) == (1, 0)
        assert [event.details for event in events] == [{"requests": gone.json()["id"]}]
        assert [event.actor for event in events] == ["service"]


async def test_purging_by_command(folder: Path) -> None:
    """`requests purge` erases expired requests at once."""
    async with running(folder, retention=DAYS) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        accepted = await post(client)
        await client.post(f"{PATH}/{accepted.json()['id']}/withdrawal", headers=bearer(accepted))
        let_time_pass(app.state.runtime.engine)
        assert invoke("requests", "purge", folder=folder).stdout == "1 requests were erased.\n"
        assert invoke("requests", "purge", folder=folder).stdout == "0 requests were erased.\n"
        assert count(app.state.runtime.engine) == 0


@pytest.mark.parametrize(
    "value", ["completed", "completed=0", "completed=x", "received=3", "lost=3", "completed=3;a=4"]
)
def test_an_invalid_period(folder: Path, value: str) -> None:
    """With an invalid retention period the service does not start."""
    done = invoke("serve", folder=folder, CLINIC_RETENTION=value)
    assert done.exit_code == 1
    assert re.fullmatch("clinic-api: CLINIC_RETENTION.*\n", done.stderr)


@pytest.mark.parametrize(
    "change", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event"]
)
async def test_the_audit_is_only_appended_to(engine: Engine, change: str) -> None:
    """The database refuses to change or delete an audit event."""
    signed_in(engine)
    with pytest.raises(DBAPIError, match="only ever appended"), engine.begin() as connection:
        connection.execute(text(change))
    assert count(engine, AuditEvent) == 1


async def test_the_audit_can_be_read(
    client: httpx.AsyncClient, app: FastAPI, engine: Engine
) -> None:
    """An administrator reads the audit in pages, the newest event first, also of one subject."""
    admin = signed_in(engine, "admin")
    await client.get(f"{STAFF}/me", headers=admin)
    await app.state.runtime.access.finish()
    for number in range(4):
        signed_in(engine, "intake:read", owner=f"Person {number}")
    page = (await client.get(f"{STAFF}/audit-events?limit=3", headers=admin)).json()
    assert [event["action"] for event in page["data"]] == ["token.created"] * 3
    assert page["meta"]["total"] == 6
    rest = await client.get(
        f"{STAFF}/audit-events?limit=3&cursor={page['meta']['next_cursor']}", headers=admin
    )
    ids = [event["id"] for event in (*page["data"], *rest.json()["data"])]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6
    subject = page["data"][0]["subject"]
    one = await client.get(f"{STAFF}/audit-events?subject={subject}", headers=admin)
    assert [event["subject"] for event in one.json()["data"]] == [subject]
    assert "Person" not in one.text


async def test_events_of_earlier_versions(client: httpx.AsyncClient, engine: Engine) -> None:
    """A list in the details of an old event is served as one text, as in new events."""
    admin = signed_in(engine, "admin")
    with writing(engine) as session:
        details: Any = {"requests": ["one", "two"], "count": 2, "quarantined": True}
        event = AuditEvent(
            id=2,
            at=utc_now(),
            actor="service",
            action="requests.purged",
            subject=None,
            details=details,
        )
        session.add(event)
    page = (await client.get(f"{STAFF}/audit-events", headers=admin)).json()
    recorded = [event for event in page["data"] if event["action"] != "token.used"]
    assert [event["details"] for event in recorded] == [
        {"requests": "one, two", "count": 2, "quarantined": True},
        {"scopes": "admin"},
    ]
