"""Who is told when something happens: by e-mail and by webhook, at least once."""

import asyncio
import json
import logging
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from data.notifications import outward
from models.delivery import WAITS, Delivery
from models.values import utc_now
from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.certificates import certificate_for
from tests.support.databases import bring_back, take_away
from tests.support.document import DOCUMENT, validate
from tests.support.health import failed_checks
from tests.support.intake import JSON, PATH, bearer, body_of, faults, post, problem
from tests.support.process import serving
from tests.support.receivers import Receiver, http_receiver
from tests.support.staff import INBOX, STAFF, change, signed_in
from tests.support.stage import CANARIES, EVENTS, staged
from tests.support.waiting import wait_for, wait_until

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


async def test_a_webhook_is_signed(folder: Path, receiver: Receiver) -> None:
    """The package of Standard Webhooks verifies it; it says what happened to which id, no more."""
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        hook = await stage.hook(receiver.url)
        request_id = (await post(stage.client, body_of(**CANARIES))).json()["id"]
        await stage.until(lambda: receiver.messages)
        headers, body = receiver.messages[0]
        lowered = {name.lower(): value for name, value in headers.items()}
        told = Verifier(hook["secret"]).verify(body, lowered)
        assert told["type"] == "request.received"
        assert told["data"] == {"id": request_id, "state": "received"}
        assert set(told) == {"type", "timestamp", "data"}
        assert headers["Content-Type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Verifier(hook["secret"]).verify(body + b" ", lowered)
        listed = (await stage.client.get(f"{STAFF}/webhooks", headers=stage.staff)).json()
        assert "secret" not in listed["data"][0]


async def test_what_is_told(folder: Path, receiver: Receiver) -> None:
    """A webhook gets the events that it is registered for, as the OpenAPI document has them."""
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        await stage.hook(receiver.url, *EVENTS[1:])
        accepted = await post(stage.client)
        request_id = accepted.json()["id"]
        await change(stage.client, request_id, stage.staff, version=1, state="contacted")
        await change(stage.client, request_id, stage.staff, version=2, assigned_to="Ada")
        await stage.client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
        other = (await post(stage.client)).json()["id"]
        closing = {"state": "permanently_closed", "confirm": "permanently_closed"}
        await stage.client.post(f"{STAFF}/status-changes", json=closing, headers=stage.staff)
        await stage.until(lambda: len(receiver.messages) >= 4)
        told = [json.loads(body) for _, body in receiver.messages]
        assert sorted((m["type"], m["data"]["id"], m["data"]["state"]) for m in told) == sorted(
            [
                ("request.changed", request_id, "contacted"),
                ("request.withdrawn", request_id, "withdrawn"),
                ("status.changed", "3", "permanently_closed"),
                ("request.changed", other, "closed_out"),
            ]
        )
        for headers, body in receiver.messages:
            message = json.loads(body)
            documented = DOCUMENT["webhooks"][message["type"]]["post"]
            validate(message, documented["requestBody"]["content"][JSON["Content-Type"]]["schema"])
            names = {name.lower() for name in headers}
            assert names >= {parameter["name"] for parameter in documented["parameters"]}


async def test_it_is_tried_ten_times(folder: Path, receiver: Receiver) -> None:
    """At once, then after 5 s, 5 min … 24 h, under one id; then it is dead, and can be replayed."""
    receiver.status = 500
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        await stage.hook(receiver.url, EVENTS[0])
        await post(stage.client)
        for tries, wait in enumerate(WAITS[1:], start=1):
            told = await stage.until_tried(tries)
            assert told["state"] == "pending"
            planned = datetime.fromisoformat(told["next_attempt_at"]) - utc_now()
            assert 0.79 * wait - timedelta(seconds=5) <= planned <= 1.21 * wait
            stage.let_time_pass()
        told = await stage.until_tried(10)
        assert (told["state"], told["next_attempt_at"]) == ("dead", None)
        assert {attempt["outcome"] for attempt in told["attempts"]} == {"http_500"}
        assert len({headers["webhook-id"] for headers, _ in receiver.messages}) == 1
        assert await failed_checks(stage.client) == ["deliveries"]
        ready = await stage.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "1 notification has failed permanently" in ready.text
        receiver.status = 200
        replay = f"{STAFF}/deliveries/{told['id']}/replay"
        assert (await stage.client.post(replay, headers=stage.staff)).json()["state"] == "pending"
        assert (await stage.until_tried(11))["state"] == "delivered"

        async def is_well() -> bool:
            return await failed_checks(stage.client) == []

        await wait_until(is_well)


async def test_who_wants_no_more(folder: Path, receiver: Receiver) -> None:
    """A 410 ends the webhook: what waits for it is cancelled, and cannot be replayed."""
    receiver.status = 410
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        hook = await stage.hook(receiver.url, EVENTS[0])
        await post(stage.client)
        told = await stage.until_tried()
        assert (told["state"], told["attempts"][0]["outcome"]) == ("cancelled", "http_410")
        listed = (await stage.client.get(f"{STAFF}/webhooks", headers=stage.staff)).json()
        assert listed["data"][0]["ended_at"] is not None
        await post(stage.client)
        assert len(await stage.deliveries(f"?webhook_id={hook['id']}")) == 1
        replay = f"{STAFF}/deliveries/{told['id']}/replay"
        problem(await stage.client.post(replay, headers=stage.staff), 409, "nothing-to-replay")


INSIDE = [
    "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/",
    "https://2130706433:{port}/", "https://0177.0.0.1:{port}/", "https://0x7f.1:{port}/",
    "https://127.1:{port}/", "https://0:{port}/", "https://[::1]:{port}/", "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://[64:ff9b::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/", "https://10.0.0.1/", "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/", "https://[fe80::1]/",
    "http://8.8.8.8/",
]  # fmt: skip


async def test_an_address_inside_is_never_called(folder: Path, receiver: Receiver) -> None:
    """Whatever way it is written: no connection; plain HTTP is not spoken outside either."""
    port = httpx.URL(receiver.url).port
    async with staged(folder) as stage:
        for url in INSIDE:
            await stage.hook(url.format(port=port), EVENTS[0])
        await post(stage.client)
        told = await stage.until_all_are_tried()
        outcomes = [delivery["attempts"][0]["outcome"] for delivery in told]
        assert outcomes == ["address_refused"] * len(INSIDE)
        assert receiver.connections == 0


async def test_a_name_that_answers_twice(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public address for the check and one inside for the call: it is asked for once only."""
    asked: list[str] = []

    async def answer(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        ip = "192.0.2.1" if len(asked) > 1 else "127.0.0.1"
        return [(2, 1, 6, "", (ip, port))]

    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        await stage.hook(receiver.url.replace("127.0.0.1", "rebinding.example"), EVENTS[0])
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
        await post(stage.client)
        await stage.until(lambda: receiver.messages)
        assert asked == ["rebinding.example"]
        assert receiver.messages[0][0]["Host"].startswith("rebinding.example:")


@pytest.mark.database("sqlite")
async def test_the_certificate_must_name_the_host(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is called, and has to prove the name that was entered."""

    async def answer(host: str, port: int, **_: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    certificate = certificate_for("hook.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outward.trusted.cache_clear()
    with http_receiver(certificate) as receiver:
        async with staged(folder, webhook_networks=LOOPBACK) as stage:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
            await stage.hook(receiver.url.replace("127.0.0.1", "other.example"), EVENTS[0])
            await post(stage.client)
            assert (await stage.until_tried())["attempts"][0]["outcome"] == "unreachable"
            await stage.hook(receiver.url.replace("127.0.0.1", "hook.example"), EVENTS[0])
            await post(stage.client)
            await stage.until(lambda: receiver.messages)
            assert receiver.messages[0][0]["Host"].startswith("hook.example:")
    outward.trusted.cache_clear()


async def test_a_redirect_is_not_followed(folder: Path, receiver: Receiver) -> None:
    """It counts as a failure."""
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        await stage.hook(receiver.url, EVENTS[0])
        await post(stage.client)
        assert (await stage.until_tried())["attempts"][0]["outcome"] == "http_302"
        assert receiver.connections == 1


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "url",
    ["ftp://hook.example/", "https://", "https://user:secret@hook.example/", "https://a b/",
     "https://hook.example/#part", "https://hook.example:0/", "https://hook.example:x/",
     "https://hook.example/\u202e", "hook.example", ""],
)  # fmt: skip
async def test_what_is_no_address(client: httpx.AsyncClient, engine: Engine, url: str) -> None:
    """It is refused when it is entered."""
    staff = signed_in(engine, "admin")
    body = {"url": url, "events": ["status.changed"]}
    answer = await client.post(f"{STAFF}/webhooks", json=body, headers=staff)
    assert [pointer for pointer, _ in faults(answer)] == ["#/url"]


async def test_the_end_of_a_webhook(folder: Path, receiver: Receiver) -> None:
    """It is told no more, and its secret is gone."""
    receiver.status = 500
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        hook = await stage.hook(receiver.url, EVENTS[0])
        await post(stage.client)
        await stage.until_tried()
        path = f"{STAFF}/webhooks/{hook['id']}"
        ended = await stage.client.delete(path, headers=stage.staff)
        assert ended.json()["ended_at"] is not None
        assert (await stage.deliveries())[0]["state"] == "cancelled"
        again = await stage.client.delete(path, headers=stage.staff)
        assert again.json() == ended.json()


async def test_what_is_erased_is_told_no_more(folder: Path, receiver: Receiver) -> None:
    """With the request goes whatever the outbox held of it."""
    receiver.status = 500
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        await stage.hook(receiver.url)
        request_id = (await post(stage.client)).json()["id"]
        await stage.until_tried()
        await stage.client.delete(
            f"{INBOX}/{request_id}", headers={**stage.staff, "If-Match": '"1"'}
        )
        assert await stage.deliveries() == []


async def test_an_outage_is_told_once(
    folder: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """While the database is away the log does not fill; afterwards everything is told."""
    logger = logging.getLogger("clinic_api")
    async with staged(folder, webhook_networks=LOOPBACK) as stage:
        logger.addHandler(caplog.handler)
        receiver.status = 500
        await stage.hook(receiver.url, EVENTS[0])
        await post(stage.client)
        await stage.until_tried()
        take_away(folder, used_by=stage.engine)
        await asyncio.sleep(1.5)
        bring_back(folder)
        logger.removeHandler(caplog.handler)
        told = [line for line in caplog.messages if "outbox" in line]
        assert len(told) == 1
        receiver.status = 200
        stage.let_time_pass()
        assert (await stage.until_tried(2))["state"] == "delivered"


def test_a_dispatcher_that_is_killed(folder: Path) -> None:
    """`kill -9` while messages are under way: after the restart each comes, under its id."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    staff = signed_in(engine)
    inside = {"CLINIC_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with http_receiver() as receiver:
        receiver.answers.clear()
        with serving(folder, changes=inside) as service:
            hook = {"url": receiver.url, "events": EVENTS[:1]}
            with service.client() as client:
                client.post(f"{STAFF}/webhooks", json=hook, headers=staff)
                ids = [
                    client.post(PATH, content=body_of(), headers=JSON).json()["id"]
                    for _ in range(5)
                ]
            wait_for(lambda: len(receiver.messages) == 5)
            service.signal(signal.SIGKILL)
        receiver.answers.set()
        with Session(engine) as session:
            rows = session.exec(select(Delivery)).all()
            assert {row.state for row in rows} == {"pending"}
            due = [row.next_attempt_at for row in rows]
        assert all(at and at > utc_now() + timedelta(seconds=60) for at in due)
        with engine.execution_options(writes=True).begin() as connection:
            connection.execute(update(Delivery).values(next_attempt_at=utc_now()))
        with serving(folder, workers=2, changes=inside):
            wait_for(lambda: len(receiver.messages) == 10)
            wait_for(lambda: _states(engine) == {"delivered"})
    told = [json.loads(body)["data"]["id"] for _, body in receiver.messages]
    assert sorted(told) == sorted(ids * 2)
    assert len({headers["webhook-id"] for headers, _ in receiver.messages}) == 5
    engine.dispose()


def _states(engine: Engine) -> set[str]:
    with Session(engine) as session:
        return set(session.exec(select(Delivery.state)).all())
