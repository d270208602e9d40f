"""The inbox: listing, reading, changing, noting, exporting and erasing consultation requests."""

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from models.audit import AuditEvent
from models.consultation_request import Consent, ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from tests.support.intake import PATH, VALID, bearer, body_of, count, damage, faults, post, problem
from tests.support.staff import INBOX, STAFF, change, note, opened, signed_in

pytestmark = pytest.mark.usefixtures("open_clinic")


@pytest.fixture
def staff(engine: Engine) -> dict[str, str]:
    return signed_in(engine)


async def send(client: httpx.AsyncClient, **changes: object) -> str:
    """Sends a valid request with changes, and returns its id."""
    answer = await post(client, body_of(**changes))
    assert answer.status_code == 201, answer.text
    request_id: str = answer.json()["id"]
    return request_id


def actions(engine: Engine, subject: str) -> list[str]:
    """The actions of the audit events about a subject."""
    with Session(engine) as session:
        rows = session.exec(select(AuditEvent).where(AuditEvent.subject == subject))
        return [row.action for row in rows]


async def test_the_list_contains_nothing_typed(
    client: httpx.AsyncClient, staff: dict[str, str]
) -> None:
    """The list has each request once, the newest first, in pages, without any typed text."""
    ids = [await send(client, name=f"Canary {number}") for number in range(7)]
    seen, url = [], f"{INBOX}?limit=3"
    while url:
        answer = await client.get(url, headers=staff)
        assert "Canary" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        page = answer.json()
        assert page["meta"]["total"] == 7
        seen += [item["id"] for item in page["data"]]
        cursor = page["meta"]["next_cursor"]
        url = f"{INBOX}?limit=3&cursor={cursor}" if cursor else ""
        assert ("next" in answer.links) is bool(cursor)
    assert seen == ids[::-1]
    problem(await client.get(f"{INBOX}?cursor=MTI", headers=staff), 400, "invalid-query")


async def test_filters(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    """The list is filtered by state, assignee, age and quarantine."""
    first, second, third = [await send(client) for _ in range(3)]
    await change(client, first, staff, version=1, state="contacted", assigned_to="Ada")
    await change(client, second, staff, version=1, quarantined=True)
    for query, expected in {
        "state=contacted": [first],
        "state=received": [third, second],
        "assigned_to=Ada": [first],
        "assigned_to=": [third, second],
        "quarantined=true": [second],
        "quarantined=false&state=received": [third],
        "older_than_days=0": [third, second, first],
        "older_than_days=1": [],
    }.items():
        page = (await client.get(f"{INBOX}?{query}", headers=staff)).json()
        assert [item["id"] for item in page["data"]] == expected, query
        assert page["meta"]["total"] == len(expected)
    for query in (
        "state=lost",
        "older_than_days=-1",
        "quarantined=1",
        "assigned_to=a&assigned_to=b",
    ):
        problem(await client.get(f"{INBOX}?{query}", headers=staff), 400, "invalid-query")


async def test_one_request_is_read(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """A request is shown exactly as sent, and each reading is in the audit."""
    message = "Line one\r\nline two \u202e 👩‍⚕️"
    request_id = await send(client, message=message, phone="(212) 555-0123")
    request = (await opened(client, request_id, staff)).json()
    shown = request["sent"].pop("shown")
    assert request["sent"] == {
        "name": "Ada", "email": "ada@example.com", "phone": "+12125550123", "topic": "other",
        "preferred_contact": None, "may_leave_voicemail": None, "best_time": None,
        "message": message, "form_version": 1, "answers": {}, "locale": "en-US",
    }  # fmt: skip
    assert [(one["name"], one["label"], one["value"]) for one in shown] == [
        ("name", "Name", "Ada"),
        ("email", "E-mail", "ada@example.com"),
        ("phone", "Phone", "+12125550123"),
        ("preferred_contact", "Contact me", None),
        ("may_leave_voicemail", "You may speak to my voicemail", None),
        ("best_time", "Call me", None),
        ("topic", "About", "Another matter"),
        ("message", "Message", message),
    ]
    assert request["consents"][0]["purpose"] == "contact"
    assert request["available_transitions"] == ["contacted", "declined", "closed_out"]
    assert actions(engine, request_id) == ["request.read"]
    assert (await client.head(f"{INBOX}/{request_id}", headers=staff)).status_code == 200
    assert actions(engine, request_id) == ["request.read"] * 2


async def test_a_reading_needs_its_audit_event(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """If the event of a reading cannot be recorded, the answer is a 503."""
    request_id = await send(client)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_event RENAME TO elsewhere")
    answer = await client.get(f"{INBOX}/{request_id}", headers=staff)
    problem(answer, 503, "unavailable")
    assert "Ada" not in answer.text


async def test_a_request_is_completed(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """A request is contacted, scheduled and completed; its receipt shows each state."""
    accepted = await post(client)
    request_id = accepted.json()["id"]
    for version, state in enumerate(("contacted", "scheduled", "completed"), start=1):
        moved = await change(client, request_id, staff, version=version, state=state)
        assert moved.headers["ETag"] == f'"{version + 1}"'
        assert (moved.json()["state"], moved.json()["version"]) == (state, version + 1)
        receipt = await client.get(f"{PATH}/{request_id}", headers=bearer(accepted))
        assert receipt.json()["state"] == state
    refused = await change(client, request_id, staff, version=4, state="received")
    problem(refused, 409, "transition-not-allowed")
    assert actions(engine, request_id) == ["request.changed"] * 3


@pytest.mark.parametrize(
    ("state", "target"),
    [("received", "scheduled"), ("received", "completed"), ("received", "withdrawn"),
     ("received", "waitlisted")],
)  # fmt: skip
async def test_transitions_that_are_not_allowed(
    client: httpx.AsyncClient, staff: dict[str, str], state: str, target: str
) -> None:
    """A transition that is not allowed changes nothing, not even the other fields."""
    request_id = await send(client)
    problem(
        await change(client, request_id, staff, version=1, state=target, assigned_to="Ada"),
        409, "transition-not-allowed",
    )  # fmt: skip
    request = (await opened(client, request_id, staff)).json()
    assert (request["state"], request["assigned_to"], request["version"]) == (state, None, 1)


async def test_concurrent_changes_with_one_version(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """Of 20 concurrent changes of one version one succeeds; the others get 412."""
    request_id = await send(client)
    answers = await asyncio.gather(
        *(
            change(client, request_id, staff, version=1, assigned_to=f"Person {number}")
            for number in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    [winner] = [answer.json()["assigned_to"] for answer in answers if answer.status_code == 200]
    request = (await opened(client, request_id, staff)).json()
    assert (request["assigned_to"], request["version"]) == (winner, 2)


@pytest.mark.parametrize("tag", ["*", 'W/"1"', "1", '"01"', '"2"', '""', "\xff", '"1' + "0" * 9999])
async def test_tags_that_do_not_match(
    client: httpx.AsyncClient, staff: dict[str, str], tag: str
) -> None:
    """`If-Match` needs a strong tag that is equal (RFC 9110, section 13.1.1)."""
    request_id = await send(client)
    headers = [(name.encode(), value.encode()) for name, value in staff.items()]
    headers.append((b"If-Match", tag.encode("latin-1")))
    answer = await client.patch(f"{INBOX}/{request_id}", json={}, headers=headers)
    problem(answer, 412, "precondition-failed")
    several = {**staff, "If-Match": '"7", "1"'}
    answer = await client.patch(f"{INBOX}/{request_id}", json={}, headers=several)
    assert answer.status_code == 200


async def test_assigning_and_unassigning(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    """An empty name removes the assignee; a change without an effect keeps the version."""
    request_id = await send(client)
    ours = await change(client, request_id, staff, version=1, assigned_to=" Ada ")
    assert ours.json()["assigned_to"] == "Ada"
    same = await change(client, request_id, staff, version=2, assigned_to="Ada", state="received")
    assert same.json()["version"] == 2
    unassigned = await change(client, request_id, staff, version=2, assigned_to="")
    assert (unassigned.json()["assigned_to"], unassigned.json()["version"]) == (None, 3)
    wrong = await change(client, request_id, staff, version=3, assigned_to="a\u202eb", sealed="x")
    assert faults(wrong) == [
        ("#/assigned_to", "assigned_to.invalid"),
        ("#/sealed", "body.unknown_field"),
    ]


async def test_notes_are_sealed(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """Notes are shown as written, in order, and are sealed in the database."""
    request_id = await send(client)
    texts = ["Called: canary-one.\r\nCall\nagain.", "canary-two"]
    for version, text in enumerate(texts, start=1):
        written = await note(client, request_id, staff, version=version, text=text)
        assert (written.status_code, written.headers["ETag"]) == (201, f'"{version + 1}"')
    request = (await opened(client, request_id, staff)).json()
    assert [(n["author"], n["text"]) for n in request["notes"]] == [
        ("Front desk", text) for text in texts
    ]
    with Session(engine) as session:
        assert all(b"canary" not in row.sealed for row in session.exec(select(RequestNote)))
    for text in ("", "  ", "\0", "a\rb", "x" * 2001):
        answer = await note(client, request_id, staff, version=3, text=text)
        assert answer.status_code == 422


async def test_erasing(client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]) -> None:
    """Erasing removes all rows about a request except the audit events."""
    accepted = await post(client, key="a-key-of-mine")
    request_id = accepted.json()["id"]
    await note(client, request_id, staff, version=1, text="Called.")
    erased = await client.delete(f"{INBOX}/{request_id}", headers={**staff, "If-Match": '"2"'})
    assert (erased.status_code, erased.content) == (204, b"")
    for table in (ConsultationRequest, Consent, IdempotencyRecord, RequestNote):
        assert count(engine, table) == 0
    answer = await client.get(f"{PATH}/{request_id}", headers=bearer(accepted))
    problem(answer, 404, "not-found")
    assert actions(engine, request_id)[-1] == "request.erased"


async def test_a_withdrawal_erases_the_notes(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """When a patient withdraws a request, the notes of staff about it are erased too."""
    accepted = await post(client)
    request_id = accepted.json()["id"]
    await note(client, request_id, staff, version=1, text="Called.")
    await client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
    request = (await opened(client, request_id, staff)).json()
    assert (request["state"], request["sent"], request["notes"]) == ("withdrawn", None, [])
    assert request["version"] == 3
    assert actions(engine, request_id)[-2] == "request.withdrawn"


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"website": "https://spam.example"}, ["honeypot"]),
        ({"seconds_to_complete": 2}, ["too_fast"]),
        ({"website": "x", "seconds_to_complete": 0}, ["honeypot", "too_fast"]),
        ({"website": "", "seconds_to_complete": 3}, []),
    ],
)
async def test_suspected_spam_is_quarantined(
    client: httpx.AsyncClient, staff: dict[str, str], changes: dict[str, Any], reasons: list[str]
) -> None:
    """Suspected spam is accepted like any request; only staff sees that it is quarantined."""
    answer = await post(client, body_of(**changes))
    assert (answer.status_code, answer.json()["state"]) == (201, "received")
    request_id = answer.json()["id"]
    request = (await opened(client, request_id, staff)).json()
    assert (request["quarantined"], request["quarantine_reasons"]) == (bool(reasons), reasons)
    assert "spam.example" not in json.dumps(request)
    released = await change(client, request_id, staff, version=1, quarantined=False)
    assert released.json()["quarantined"] is False


async def test_possible_duplicates(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    """Open requests with the same normalized e-mail address or phone number are duplicates."""
    first = await send(client, email="ADA@example.com", phone="212-555-0123")
    second = await send(client, email=..., phone="(212) 555-0123")
    third = await send(client, email="ada@EXAMPLE.com")
    await send(client, email="other@example.com")

    async def hints(request_id: str) -> set[str]:
        return set((await opened(client, request_id, staff)).json()["possible_duplicates"])

    assert await hints(first) == {second, third}
    assert await hints(second) == {first}
    await change(client, third, staff, version=1, state="declined")
    assert await hints(first) == {second}


async def test_the_export(client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]) -> None:
    """The CSV has the oldest first and no formulas, and the audit names each request."""
    harmless = await send(client, message='A "quoted", word\nand a line')
    dangerous = [
        await send(client, name=f"{start}1+1")
        for start in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    ]
    await note(client, harmless, staff, version=1, text="=HYPERLINK(1)")
    answer = await client.get(f"{INBOX}/export", headers=staff)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [harmless, *dangerous]
    assert rows[0]["message"] == 'A "quoted", word\nand a line'
    assert rows[0]["notes"] == "Front desk: =HYPERLINK(1)"
    assert all(row["name"].startswith("'") for row in rows[1:])
    for row in rows:
        assert not any(
            cell.lstrip(" ").startswith(tuple("=+-@\t＝＋－＠")) for cell in row.values()
        )
    with Session(engine) as session:
        [event] = session.exec(select(AuditEvent).where(AuditEvent.action == "requests.exported"))
    assert event.details["requests"] == ", ".join([harmless, *dangerous])


INVISIBLE = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00a0", "\u202f", "\u3000", "\u00ad",
    "\u200e", "\u202e", "\u2066", "\u2028", "\x01", "\x0b", "\x1b", "\x7f", "\x85", "\t", "\r\n",
    "\u034f", "\ufe0f", "\u115f", "\u3164", "\uffa0", "\u2800", "\U000e0020", "\ue000",
    " \u200b \ufeff",
]  # fmt: skip


@pytest.mark.database("sqlite")
async def test_formulas_behind_invisible_characters(
    client: httpx.AsyncClient, staff: dict[str, str]
) -> None:
    """A cell whose first visible character begins a formula gets a quote in front."""
    signs = ("=", "+", "-", "@", "＝", "﹦", "−")
    dangerous = [before + sign + "1+1" for before in INVISIBLE for sign in signs]
    harmless = ["\u200bplain", "1=1", "\u00a0", "a\u200b=1"]
    for message in (*dangerous, *harmless):
        await send(client, message=message)
    answer = await client.get(f"{INBOX}/export", headers=staff)
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["message"] for row in rows] == [*(f"'{m}" for m in dangerous), *harmless]


async def test_damaged_records(
    client: httpx.AsyncClient,
    engine: Engine,
    staff: dict[str, str],
    log: pytest.LogCaptureFixture,
) -> None:
    """A damaged record answers 500 and is logged; the export marks it and contains the others."""
    first, second, third = [await send(client, name=f"N {number}") for number in range(3)]
    for text in ("whole", "damaged"):
        version = 1 if text == "whole" else 2
        await note(client, third, staff, version=version, text=text)
    note_ids = {n["text"]: n["id"] for n in (await opened(client, third, staff)).json()["notes"]}
    damage(engine, ConsultationRequest, second)
    damage(engine, RequestNote, note_ids["damaged"])

    for request_id, row in (
        (second, f"consultation_request {second}"),
        (third, f"request_note {note_ids['damaged']}"),
    ):
        answer = await client.get(f"{INBOX}/{request_id}", headers=staff)
        problem(answer, 500, "record-damaged")
        assert any(row in line for line in log.messages)
    log.clear()
    answer = await client.get(f"{INBOX}/export", headers=staff)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [first, second, third]
    assert [row["name"] for row in rows] == ["N 0", "", "N 2"]
    assert rows[1]["state"] == "received"
    assert rows[1]["consents"]
    assert rows[2]["notes"] == "Front desk: whole"
    assert [row["damaged"] for row in rows] == [
        "",
        f"consultation_request {second}",
        f"request_note {note_ids['damaged']}",
    ]
    assert len([line for line in log.messages if line.startswith("damaged: ")]) == 2


async def test_permanent_closure(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """Closing permanently closes out every open request, and links to their export."""
    accepted = await post(client)
    done = await send(client)
    await change(client, done, staff, version=1, state="declined")
    closing = {"state": "permanently_closed"}
    unconfirmed = await client.post(f"{STAFF}/status-changes", json=closing, headers=staff)
    assert faults(unconfirmed) == [("#/confirm", "confirm.unconfirmed")]
    closing["confirm"] = "permanently_closed"
    closed = await client.post(f"{STAFF}/status-changes", json=closing, headers=staff)
    assert (closed.status_code, closed.json()["closes_out"]) == (201, 1)
    assert (await client.get("/v1/status")).json()["state"] == "permanently_closed"
    problem(await post(client), 410, "clinic-permanently-closed")
    receipt = await client.get(f"{PATH}/{accepted.json()['id']}", headers=bearer(accepted))
    assert receipt.json()["state"] == "closed_out"
    request = (await opened(client, accepted.json()["id"], staff)).json()
    assert request["end_reason"] == "clinic_permanently_closed"
    export = await client.get(closed.json()["handover_export"], headers=staff)
    assert [row["id"] for row in csv.DictReader(io.StringIO(export.text))] == [request["id"]]
    with Session(engine) as session:
        rows = session.exec(select(AuditEvent.action)).all()
    assert {"status.changed", "requests.closed_out"} <= set(rows)


async def test_requests_during_a_closure(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """Requests sent while the clinic closes are either refused, or stored and closed out."""
    closing = {"state": "permanently_closed", "confirm": "permanently_closed"}
    posts = [asyncio.create_task(post(client, json.dumps(VALID).encode())) for _ in range(30)]
    await asyncio.sleep(0.05)
    closed = await client.post(f"{STAFF}/status-changes", json=closing, headers=staff)
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} <= {201, 410}
    stored = sum(answer.status_code == 201 for answer in answers)
    assert closed.json()["closes_out"] == stored == count(engine)
    with Session(engine) as session:
        assert set(session.exec(select(ConsultationRequest.state))) <= {"closed_out"}
