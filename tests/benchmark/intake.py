"""Rates of accepted consultation requests, and of pages of a small and a large inbox."""

import json
import statistics
import uuid
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert
from sqlmodel import Session, func, select

from api.server import prepare
from data.crypto import write_keyring
from data.database import open_database, writing
from models.consultation_request import ConsultationRequest
from models.delivery import Delivery, EventType
from models.values import utc_now
from tests.benchmark.measuring import CONNECTIONS, SERVICE, UVICORN, Case, running, table
from tests.support.apps import set_status, settings_in
from tests.support.audit import open_with_audit
from tests.support.databases import url_of
from tests.support.intake import PATH, VALID
from tests.support.receivers import http_receiver
from tests.support.staff import INBOX, STAFF, signed_in

FEW, MANY = 1_000, 100_000
_PART = 10_000
_SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{}]]
"""


def prepared(folder: Path, *, requests: int = 0) -> dict[str, str]:
    """Creates a database with an open clinic and `requests` requests; returns a staff header."""
    folder.mkdir()
    write_keyring(folder / "keyring.json", generated=True)
    prepare(settings_in(folder))
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    now = utc_now()
    for begin in range(0, requests, _PART):
        rows = [a_row(now, number) for number in range(begin, min(begin + _PART, requests))]
        with writing(engine) as session:
            session.connection().execute(insert(ConsultationRequest), rows)
    staff = signed_in(engine)
    engine.dispose()
    return staff


def a_row(now: datetime, number: int) -> dict[str, Any]:
    """The columns of a stored request, received `number` seconds before `now`."""
    at = now - timedelta(seconds=number)
    return {
        "id": str(uuid.uuid4()), "state": "received", "end_reason": None, "received_at": at,
        "updated_at": at, "state_changed_at": at, "retention_until": None, "version": 1,
        "assigned_to": None, "quarantined": False, "quarantine_reasons": [], "email_digest": None,
        "phone_digest": None, "receipt_hash": b"", "sealed": bytes(300),
    }  # fmt: skip


def measure(root: Path, *, rounds: int) -> list[str]:
    """Measures writes and the inbox; returns the lines of the tables and of their summary.

    Raises `AssertionError` if an answer is not a 2xx.
    """
    script = root / "request.lua"
    script.write_text(_SCRIPT.format(json.dumps({**VALID, "message": "Please call me. " * 20})))
    names = ("intake", "idiomatic", "few-requests", "many-requests")
    folders = {name: root / name for name in names}
    prepared(folders["idiomatic"])
    staff = prepared(folders["intake"])
    few_staff = prepared(folders["few-requests"], requests=FEW)
    many_staff = prepared(folders["many-requests"], requests=MANY)
    loopback = {"CLINIC_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with ExitStack() as stack:
        receiver = stack.enter_context(http_receiver())
        start = stack.enter_context
        service = start(running(SERVICE, folders["intake"], "/v1/status", loopback))
        tutorial = start(
            running([*UVICORN, "tests.benchmark.tutorial:app"], folders["idiomatic"], "/sections/")
        )
        few = start(running(SERVICE, folders["few-requests"], "/v1/status"))
        many = start(running(SERVICE, folders["many-requests"], "/v1/status"))
        hook = {"url": receiver.url, "events": [EventType.REQUEST_RECEIVED]}
        httpx.post(f"{service.url}{STAFF}/webhooks", json=hook, headers=staff).raise_for_status()

        idiomatic = Case("idiomatic FastAPI + SQLModel", tutorial, "/requests/", script=script)
        accepted = Case("this service, with a webhook", service, PATH, idiomatic, script=script)
        page_of_few = Case(f"a page of 100, of {FEW:,}", few, INBOX, None, as_headers(few_staff))
        page_of_many = Case(
            f"a page of 100, of {MANY:,}", many, INBOX, page_of_few, as_headers(many_staff)
        )
        for _ in range(rounds):
            for case in (idiomatic, accepted, page_of_few, page_of_many):
                case.measure()
    stored, waiting = counted(folders["intake"])
    p99 = statistics.median(accepted.p99)
    return [
        *table([idiomatic, accepted], what="request accepted", against="the idiomatic route"),
        "",
        *table([page_of_few, page_of_many], what="inbox", against=f"the page of {FEW:,}"),
        "",
        f"{CONNECTIONS} clients; {accepted.requests:,} requests were accepted, {stored:,} are "
        f"stored, each with its webhook delivery; p99 {p99:.0f} ms.",
        f"{len(receiver.messages):,} webhook messages went out meanwhile, {waiting:,} wait.",
        f"A page of {MANY:,} takes {page_of_few.ratio(page_of_many):.2f} times as long.",
    ]


def as_headers(header: dict[str, str]) -> list[str]:
    """Header fields in the form of wrk's option `-H`."""
    return [f"{name}: {value}" for name, value in header.items()]


def counted(folder: Path) -> tuple[int, int]:
    """The number of stored requests and of pending deliveries; each request has one delivery."""
    engine = open_database(url_of(folder))
    with Session(engine) as session:
        stored = session.exec(select(func.count()).select_from(ConsultationRequest)).one()
        deliveries = session.exec(select(func.count()).select_from(Delivery)).one()
        waiting = session.exec(
            select(func.count()).select_from(Delivery).where(Delivery.state == "pending")
        ).one()
    engine.dispose()
    assert deliveries == stored
    return stored, waiting
