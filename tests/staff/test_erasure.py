"""After withdrawal, erasure or the end of retention nothing typed is left of a request."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from data.database import writing
from data.operations.upkeep import run_upkeep
from data.outbox import record_attempt
from models.audit import AuditEvent
from models.consultation_request import ConsultationRequest, RequestState
from models.delivery import Delivery, DeliveryAttempt
from models.inbox import RequestNote
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.backups import back_up
from tests.support.canaries import Canaries, hits
from tests.support.databases import files_of, kind_of, rows_of
from tests.support.intake import PATH, bearer, count, post
from tests.support.receivers import http_receiver, mail_server
from tests.support.staff import INBOX, STAFF, change, note, signed_in

DAYS = {RequestState.DECLINED: 1, RequestState.CLOSED_OUT: 1}
ENDS = {
    "withdrawal": "request.withdrawn",
    "erasure": "request.erased",
    "purge": "requests.purged",
    "closing": "requests.purged",
}


@pytest.mark.parametrize("way", ENDS)
async def test_nothing_is_left(folder: Path, way: str) -> None:
    """Neither the typed text nor its sealed form is left in rows, files, backups or messages."""
    with mail_server() as (mailbox, server), http_receiver() as receiver:
        settings = {
            "smtp_url": server, "mail_from": "service@clinic.test", "notify_to": "d@clinic.test",
            "smtp_plain": "127.0.0.1",
            "webhook_networks": ("127.0.0.0/8",), "retention": DAYS,
        }  # fmt: skip
        async with running(folder, **settings) as app, client_of(app) as client:
            engine: Engine = app.state.runtime.engine
            set_status(engine, state="open")
            staff = signed_in(engine)
            hook = {"url": receiver.url, "events": ["request.received"]}
            await client.post(f"{STAFF}/webhooks", json=hook, headers=staff)
            canaries = Canaries()
            assert await canaries.send(client, canaries.body(), key="a-key-of-mine") == 201
            accepted = canaries.answers[0]
            request_id = accepted.json()["id"]
            await note(client, request_id, staff, version=1, text=f"Called {canaries.word()}.")
            sealed = sealed_values(engine)
            assert all(content in rows_of(engine) for content in sealed)

            match way:
                case "withdrawal":
                    url = f"{PATH}/{request_id}/withdrawal"
                    ended = await client.post(url, headers=bearer(accepted))
                case "erasure":
                    headers = {**staff, "If-Match": '"2"'}
                    ended = await client.delete(f"{INBOX}/{request_id}", headers=headers)
                case "purge":
                    ended = await change(client, request_id, staff, version=2, state="declined")
                    await let_retention_end(app)
                case "closing":
                    body = {"state": "permanently_closed", "confirm": "permanently_closed"}
                    ended = await client.post(f"{STAFF}/status-changes", json=body, headers=staff)
                    await let_retention_end(app)
            assert ended.is_success, ended.text

            searched = [rows_of(engine), *mailbox.raw, *(body for _, body in receiver.messages)]
            if kind_of(folder) == "sqlite":
                searched += [*files_of(folder).values(), back_up(folder).read_bytes()]
            for content in searched:
                assert hits(canaries.markers, content) == []
                assert [s for s in sealed if s in content] == []
            # After a withdrawal the empty request remains, so that its receipt can be read.
            assert count(engine) == (1 if way == "withdrawal" else 0)
            assert way == "withdrawal" or count(engine, Delivery) == 0
            with Session(engine) as session:
                events = session.exec(select(AuditEvent)).all()
            [last] = [event for event in events if event.action == ENDS[way]]
            assert request_id in (last.subject, last.details.get("requests"))


async def test_erasing_waits_for_a_delivery_attempt(folder: Path) -> None:
    """Erasing waits until a concurrent delivery attempt is recorded, and erases it too."""
    with http_receiver() as receiver:
        receiver.answers.clear()
        async with (
            running(folder, webhook_networks=("127.0.0.0/8",)) as app,
            client_of(app) as client,
        ):
            engine: Engine = app.state.runtime.engine
            set_status(engine, state="open")
            staff = signed_in(engine)
            hook = {"url": receiver.url, "events": ["request.received"]}
            await client.post(f"{STAFF}/webhooks", json=hook, headers=staff)
            url = f"{INBOX}/{(await post(client)).json()['id']}"
            with writing(engine) as session:
                delivery = session.exec(select(Delivery)).one()
                record_attempt(
                    session,
                    delivery=delivery,
                    outcome="http_500",
                    took=timedelta(0),
                    final_state=None,
                )
                erasing = asyncio.create_task(
                    client.delete(url, headers={**staff, "If-Match": '"1"'})
                )
                # Long enough for the erasure to reach the lock.
                await asyncio.sleep(0.3)
                assert not erasing.done()
            assert (await erasing).status_code == 204
            assert count(engine, DeliveryAttempt) == count(engine, Delivery) == 0
            receiver.answers.set()


def sealed_values(engine: Engine) -> list[bytes]:
    """The sealed values and the digests of the only request and its note."""
    with Session(engine) as session:
        row = session.exec(select(ConsultationRequest)).one()
        written = session.exec(select(RequestNote)).one()
        kept = [row.sealed, written.sealed, row.email_digest, row.phone_digest]
    assert all(kept)
    return [content for content in kept if content]


async def let_retention_end(app: FastAPI) -> None:
    """Ends the retention of the only request, and runs upkeep."""
    with Session(app.state.runtime.engine) as session:
        row = session.exec(select(ConsultationRequest)).one()
        assert row.retention_until is not None
        row.retention_until = utc_now() - timedelta(seconds=1)
        session.commit()
    runtime = app.state.runtime
    await run_upkeep(runtime.engine, retention=DAYS, queue=runtime.write_queue)
