"""Webhooks: signatures, events, attempts, addresses, and the dispatcher."""

import asyncio
import json
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

from data.notifications import outbound
from models.delivery import WAITS, Delivery
from models.values import utc_now
from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.certificates import certificate_for
from tests.support.databases import bring_back, take_away
from tests.support.document import DOCUMENT, validate
from tests.support.health import failed_checks
from tests.support.intake import JSON, PATH, bearer, body_of, faults, post, problem
from tests.support.open_service import CANARIES, EVENTS, open_service
from tests.support.process import serving
from tests.support.receivers import Receiver, http_receiver
from tests.support.staff import INBOX, STAFF, change, signed_in
from tests.support.waiting import wait_for, wait_until

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


async def test_a_webhook_is_signed(folder: Path, receiver: Receiver) -> None:
    """The library of Standard Webhooks verifies a message; it has the id and the state, no more."""
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        hook = await service.hook(receiver.url)
        request_id = (await post(service.client, body_of(**CANARIES))).json()["id"]
        await service.until(lambda: receiver.messages)
        headers, body = receiver.messages[0]
        lowered = {name.lower(): value for name, value in headers.items()}
        message = Verifier(hook["secret"]).verify(body, lowered)
        assert message["type"] == "request.received"
        assert message["data"] == {"id": request_id, "state": "received"}
        assert set(message) == {"type", "timestamp", "data"}
        assert headers["Content-Type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Verifier(hook["secret"]).verify(body + b" ", lowered)
        listed = (await service.client.get(f"{STAFF}/webhooks", headers=service.staff)).json()
        assert "secret" not in listed["data"][0]


async def test_a_webhook_gets_its_events(folder: Path, receiver: Receiver) -> None:
    """A webhook gets the events it is registered for, as the OpenAPI document describes them."""
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        await service.hook(receiver.url, *EVENTS[1:])
        accepted = await post(service.client)
        request_id = accepted.json()["id"]
        await change(service.client, request_id, service.staff, version=1, state="contacted")
        await change(service.client, request_id, service.staff, version=2, assigned_to="Ada")
        await service.client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
        other = (await post(service.client)).json()["id"]
        closing = {"state": "permanently_closed", "confirm": "permanently_closed"}
        await service.client.post(f"{STAFF}/status-changes", json=closing, headers=service.staff)
        await service.until(lambda: len(receiver.messages) >= 4)
        sent = [json.loads(body) for _, body in receiver.messages]
        assert sorted((m["type"], m["data"]["id"], m["data"]["state"]) for m in sent) == sorted(
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


async def test_a_delivery_has_ten_attempts(folder: Path, receiver: Receiver) -> None:
    """A delivery has ten attempts under one id, from 5 s to 24 h apart; it can be replayed."""
    receiver.status = 500
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        await service.hook(receiver.url, EVENTS[0])
        await post(service.client)
        for tries, wait in enumerate(WAITS[1:], start=1):
            delivery = await service.until_tried(tries)
            assert delivery["state"] == "pending"
            planned = datetime.fromisoformat(delivery["next_attempt_at"]) - utc_now()
            assert 0.79 * wait - timedelta(seconds=5) <= planned <= 1.21 * wait
            service.make_retries_due()
        delivery = await service.until_tried(10)
        assert (delivery["state"], delivery["next_attempt_at"]) == ("dead", None)
        assert {attempt["outcome"] for attempt in delivery["attempts"]} == {"http_500"}
        assert len({headers["webhook-id"] for headers, _ in receiver.messages}) == 1
        assert await failed_checks(service.client) == ["deliveries"]
        ready = await service.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "1 notification has failed permanently" in ready.text
        receiver.status = 200
        replay = f"{STAFF}/deliveries/{delivery['id']}/replay"
        assert (await service.client.post(replay, headers=service.staff)).json()[
            "state"
        ] == "pending"
        assert (await service.until_tried(11))["state"] == "delivered"

        async def is_well() -> bool:
            return await failed_checks(service.client) == []

        await wait_until(is_well)


async def test_a_410_ends_the_webhook(folder: Path, receiver: Receiver) -> None:
    """A 410 ends the webhook: its pending deliveries are cancelled and cannot be replayed."""
    receiver.status = 410
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        hook = await service.hook(receiver.url, EVENTS[0])
        await post(service.client)
        delivery = await service.until_tried()
        assert (delivery["state"], delivery["attempts"][0]["outcome"]) == ("cancelled", "http_410")
        listed = (await service.client.get(f"{STAFF}/webhooks", headers=service.staff)).json()
        assert listed["data"][0]["ended_at"] is not None
        await post(service.client)
        assert len(await service.deliveries(f"?webhook_id={hook['id']}")) == 1
        replay = f"{STAFF}/deliveries/{delivery['id']}/replay"
        problem(await service.client.post(replay, headers=service.staff), 409, "nothing-to-replay")


PRIVATE_URLS = [
    "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/",
    "https://2130706433:{port}/", "https://0177.0.0.1:{port}/", "https://0x7f.1:{port}/",
    "https://127.1:{port}/", "https://0:{port}/", "https://[::1]:{port}/", "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://[64:ff9b::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/", "https://10.0.0.1/", "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/", "https://[fe80::1]/",
    "http://8.8.8.8/",
]  # fmt: skip


async def test_private_addresses_are_not_called(folder: Path, receiver: Receiver) -> None:
    """No connection is made to a private address in any notation, or over plain HTTP."""
    port = httpx.URL(receiver.url).port
    async with open_service(folder) as service:
        for url in PRIVATE_URLS:
            await service.hook(url.format(port=port), EVENTS[0])
        await post(service.client)
        deliveries = await service.until_all_are_tried()
        outcomes = [delivery["attempts"][0]["outcome"] for delivery in deliveries]
        assert outcomes == ["address_refused"] * len(PRIVATE_URLS)
        assert receiver.connections == 0


async def test_dns_rebinding(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once, so its address cannot change between the check and the call."""
    asked: list[str] = []

    async def answer(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        ip = "192.0.2.1" if len(asked) > 1 else "127.0.0.1"
        return [(2, 1, 6, "", (ip, port))]

    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        await service.hook(receiver.url.replace("127.0.0.1", "rebinding.example"), EVENTS[0])
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
        await post(service.client)
        await service.until(lambda: receiver.messages)
        assert asked == ["rebinding.example"]
        assert receiver.messages[0][0]["Host"].startswith("rebinding.example:")


@pytest.mark.database("sqlite")
async def test_the_certificate_must_name_the_host(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checked address is called, and its certificate has to match the host name."""

    async def answer(host: str, port: int, **_: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    certificate = certificate_for("hook.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outbound.trusted.cache_clear()
    with http_receiver(certificate) as receiver:
        async with open_service(folder, webhook_networks=LOOPBACK) as service:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
            await service.hook(receiver.url.replace("127.0.0.1", "other.example"), EVENTS[0])
            await post(service.client)
            assert (await service.until_tried())["attempts"][0]["outcome"] == "unreachable"
            await service.hook(receiver.url.replace("127.0.0.1", "hook.example"), EVENTS[0])
            await post(service.client)
            await service.until(lambda: receiver.messages)
            assert receiver.messages[0][0]["Host"].startswith("hook.example:")
    outbound.trusted.cache_clear()


async def test_a_redirect_is_not_followed(folder: Path, receiver: Receiver) -> None:
    """A redirect is a failed attempt."""
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        await service.hook(receiver.url, EVENTS[0])
        await post(service.client)
        assert (await service.until_tried())["attempts"][0]["outcome"] == "http_302"
        assert receiver.connections == 1


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "url",
    ["ftp://hook.example/", "https://", "https://user:secret@hook.example/", "https://a b/",
     "https://hook.example/#part", "https://hook.example:0/", "https://hook.example:x/",
     "https://hook.example/\u202e", "hook.example", ""],
)  # fmt: skip
async def test_an_invalid_webhook_url(client: httpx.AsyncClient, engine: Engine, url: str) -> None:
    """An invalid URL is refused when the webhook is created."""
    staff = signed_in(engine, "admin")
    body = {"url": url, "events": ["status.changed"]}
    answer = await client.post(f"{STAFF}/webhooks", json=body, headers=staff)
    assert [pointer for pointer, _ in faults(answer)] == ["#/url"]


async def test_the_end_of_a_webhook(folder: Path, receiver: Receiver) -> None:
    """Ending a webhook cancels its pending deliveries; ending it again changes nothing."""
    receiver.status = 500
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        hook = await service.hook(receiver.url, EVENTS[0])
        await post(service.client)
        await service.until_tried()
        path = f"{STAFF}/webhooks/{hook['id']}"
        ended = await service.client.delete(path, headers=service.staff)
        assert ended.json()["ended_at"] is not None
        assert (await service.deliveries())[0]["state"] == "cancelled"
        again = await service.client.delete(path, headers=service.staff)
        assert again.json() == ended.json()


async def test_erasing_a_request_erases_its_deliveries(folder: Path, receiver: Receiver) -> None:
    """Erasing a request erases its pending deliveries."""
    receiver.status = 500
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        await service.hook(receiver.url)
        request_id = (await post(service.client)).json()["id"]
        await service.until_tried()
        await service.client.delete(
            f"{INBOX}/{request_id}", headers={**service.staff, "If-Match": '"1"'}
        )
        assert await service.deliveries() == []


async def test_an_outage_is_logged_once(
    folder: Path, receiver: Receiver, log: pytest.LogCaptureFixture
) -> None:
    """An outage of the database is logged once; afterwards the delivery is sent."""
    async with open_service(folder, webhook_networks=LOOPBACK) as service:
        receiver.status = 500
        await service.hook(receiver.url, EVENTS[0])
        await post(service.client)
        await service.until_tried()
        take_away(folder, used_by=service.engine)
        await asyncio.sleep(1.5)
        bring_back(folder)
        assert len([line for line in log.messages if "outbox" in line]) == 1
        receiver.status = 200
        service.make_retries_due()
        assert (await service.until_tried(2))["state"] == "delivered"


def test_a_killed_dispatcher(folder: Path) -> None:
    """Messages in flight during `kill -9` are sent again after the restart, under the same id."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    staff = signed_in(engine)
    loopback = {"CLINIC_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with http_receiver() as receiver:
        receiver.answers.clear()
        with serving(folder, changes=loopback) as service:
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
        with serving(folder, workers=2, changes=loopback):
            wait_for(lambda: len(receiver.messages) == 10)
            wait_for(lambda: _states(engine) == {"delivered"})
    sent = [json.loads(body)["data"]["id"] for _, body in receiver.messages]
    assert sorted(sent) == sorted(ids * 2)
    assert len({headers["webhook-id"] for headers, _ in receiver.messages}) == 5
    engine.dispose()


def _states(engine: Engine) -> set[str]:
    """The states of all deliveries."""
    with Session(engine) as session:
        return set(session.exec(select(Delivery.state)).all())
