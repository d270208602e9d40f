"""Sending a consultation request: the order of checks, what is stored, and every fault."""

import hashlib
import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from models.consultation_request import Consent, ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.clinic import CLOSURE, TIME_ZONE
from tests.support.intake import (
    CONSENT,
    JSON,
    PATH,
    VALID,
    body_of,
    count,
    faults,
    opened,
    post,
    problem,
)

CLINIC_ZONE = ZoneInfo(TIME_ZONE)
TOO_LARGE = b" " * (64 * 1024 + 1)
MALFORMED = b'{"name": '
TEXT = {"Content-Type": "text/plain"}


async def test_the_order_of_checks(folder: Path) -> None:
    """Each reason for a refusal comes before all later ones of the contract."""
    async with running(folder, intake_rate="1 per hour") as app:
        set_status(app.state.runtime.engine, state="open")
        async with client_of(app) as client, client_of(app, "10.0.0.2") as other:
            first = await post(client, key="the-first-key", headers=JSON)
            assert first.status_code == 201
            set_status(app.state.runtime.engine, state="permanently_closed")

            big = await post(client, TOO_LARGE, key="the-first-key", headers=TEXT)
            problem(big, 413, "content-too-large")
            reused = await post(client, MALFORMED, key="the-first-key", headers=TEXT)
            problem(reused, 422, "idempotency-key-reused")
            replayed = await post(client, key="the-first-key", headers=TEXT)
            assert (replayed.status_code, replayed.content) == (201, first.content)
            for key in (None, "a-second-key"):
                flood = await post(client, MALFORMED, key=key, headers=TEXT)
                problem(flood, 429, "too-many-requests")
            closed = await post(other, MALFORMED, headers=TEXT)
            problem(closed, 410, "clinic-permanently-closed")
        set_status(app.state.runtime.engine, state="open")
        async with (
            client_of(app, "10.0.0.3") as third,
            client_of(app, "10.0.0.4") as fourth,
            client_of(app, "10.0.0.5") as fifth,
        ):
            problem(await post(third, MALFORMED, headers=TEXT), 415, "unsupported-media-type")
            problem(await post(fourth, MALFORMED), 400, "malformed-json")
            assert faults(await post(fifth, b"[]")) == [("#", "body.wrong_type")]
        assert count(app.state.runtime.engine) == 1


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"state": "open"}, "received"),
        ({"state": "temporarily_closed", "mode": "open"}, "received"),
        ({"state": "open", "mode": "waitlist"}, "waitlisted"),
        ({"state": "temporarily_closed", "mode": "waitlist"}, "waitlisted"),
    ],
)
async def test_a_request_is_accepted(
    client: httpx.AsyncClient, engine: Engine, change: dict[str, str], state: str
) -> None:
    """The 201 has `Location`, exactly the fields of the contract, and the state of the mode."""
    set_status(engine, **change)
    before = utc_now()
    answer = await post(client)
    assert answer.status_code == 201
    document = answer.json()
    assert list(document) == [
        "id", "state", "receipt_token", "received_at", "retention_until", "next_step",
    ]  # fmt: skip
    assert answer.headers["Location"] == f"{PATH}/{uuid.UUID(document['id'])}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    assert "Idempotent-Replayed" not in answer.headers
    assert (document["state"], document["retention_until"]) == (state, None)
    assert document["received_at"].endswith("Z")
    assert before <= datetime.fromisoformat(document["received_at"]) <= utc_now()
    assert len(document["receipt_token"]) >= 43
    assert document["next_step"]["code"] == state
    assert document["next_step"]["text"]


def tomorrow() -> str:
    return str((datetime.now(CLINIC_ZONE) + timedelta(days=1)).date())


def today() -> str:
    return str(datetime.now(CLINIC_ZONE).date())


@pytest.mark.parametrize(
    ("change", "status", "slug", "waits"),
    [
        ({"state": "open", "mode": "paused"}, 409, "intake-paused", False),
        ({"state": "temporarily_closed"}, 409, "intake-paused", False),
        ({"state": "temporarily_closed", "reopens_on": today}, 409, "intake-paused", False),
        ({"state": "temporarily_closed", "reopens_on": tomorrow}, 409, "intake-paused", True),
        ({"state": "permanently_closed"}, 410, "clinic-permanently-closed", False),
    ],
)
@pytest.mark.parametrize("body", [body_of(), MALFORMED, b"", b'{"name": 1}'])
async def test_a_closed_clinic_stores_nothing(
    client: httpx.AsyncClient,
    engine: Engine,
    change: dict[str, Any],
    status: int,
    slug: str,
    waits: bool,
    body: bytes,
) -> None:
    """A closed clinic refuses any body; `Retry-After` is the time until its reopening day."""
    given = {name: value() if callable(value) else value for name, value in change.items()}
    set_status(engine, **given)
    answer = await post(client, body, key="some-key-of-mine")
    document = problem(answer, status, slug)
    assert document["data_stored"] is False
    assert document.get("closure") == (CLOSURE if status == 410 else None)
    assert ("Retry-After" in answer.headers) is waits
    if waits:
        opening = datetime.fromisoformat(given["reopens_on"]).replace(tzinfo=CLINIC_ZONE)
        seconds = (opening - utc_now()).total_seconds()
        assert abs(int(answer.headers["Retry-After"]) - seconds) < 10
    assert (count(engine), count(engine, IdempotencyRecord)) == (0, 0)


FULL: dict[str, Any] = {
    "name": "Zoë नमस्ते 👩\u200d👩\u200d👧 e\u0301 שלום",
    "email": "zoë@example.com",
    "phone": "+12125550123",
    "preferred_contact": "either",
    "may_leave_voicemail": False,
    "best_time": "evening",
    "topic": "prefer_not_to_say",
    "message": " \r\n\ttabs\rx\n\n👩🏽\u200d⚕️ e\u0301 é \u202eturned\u202c مرحبا"
    "\x07\x1b[0m \ufeff =1+1 ",
    "consent_to_contact": True,
    "form_version": 1,
}


@pytest.mark.parametrize("escaped", [True, False])
async def test_text_is_stored_unchanged(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None, escaped: bool
) -> None:
    """Emoji, right-to-left, combining and control characters are stored unchanged."""
    answer = await post(client, json.dumps(FULL, ensure_ascii=escaped).encode())
    assert answer.status_code == 201
    assert opened(app, answer) == {**FULL, "answers": {}, "consents": {}, "locale": "en-US"}


async def test_typed_text_is_sealed(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None
) -> None:
    """What was typed is stored in one sealed column and two keyed digests only."""
    answer = await post(client, json.dumps(FULL).encode(), key="some-key-of-mine")
    with Session(app.state.runtime.engine) as session:
        row = session.get_one(ConsultationRequest, answer.json()["id"])
        assert set(row.model_dump()) == {
            "id", "state", "end_reason", "received_at", "updated_at", "state_changed_at",
            "retention_until", "version",
            "assigned_to", "quarantined", "quarantine_reasons", "email_digest", "phone_digest",
            "receipt_hash", "sealed",
        }  # fmt: skip
        # The digests are keyed: without the key nobody can test an address or a number.
        plain = {hashlib.sha256(str(value).encode()).digest() for value in FULL.values()}
        assert not {row.email_digest, row.phone_digest} & plain
        assert row.sealed is not None
        for value in FULL.values():
            if isinstance(value, str):
                assert value.encode() not in row.sealed
        consents = session.exec(select(Consent)).all()
    assert [(c.request_id, c.purpose, c.version, c.text) for c in consents] == [
        (row.id, "contact", 1, CONSENT)
    ]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "typed",
    [
        "2125550123", "212-555-0123", "212.555.0123", "212 555 0123", "(212) 555-0123",
        "1-212-555-0123", "+1 (212) 555-0123", "+12125550123", " 212/555-0123 ", "1 212.555.0123",
    ],
)  # fmt: skip
async def test_phone_number_notations(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None, typed: str
) -> None:
    """Every usual notation of a US number is stored in E.164."""
    answer = await post(client, body_of(email=..., phone=typed))
    assert answer.status_code == 201, answer.text
    kept = opened(app, answer) or {}
    assert (kept["phone"], kept["email"]) == ("+12125550123", None)


@pytest.mark.parametrize("length", [2000, 2001])
@pytest.mark.parametrize("character", ["m", "é", "👍", "\u202e"])
async def test_lengths_count_code_points(
    client: httpx.AsyncClient, open_clinic: None, length: int, character: str
) -> None:
    """A message may have 2,000 code points, whatever their bytes are."""
    answer = await post(client, body_of(message=character * length))
    assert answer.status_code == (201 if length == 2000 else 422)


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("other_contact", ["phone", "email"])
async def test_null_and_an_empty_string_both_mean_not_given(
    app: FastAPI,
    client: httpx.AsyncClient,
    open_clinic: None,
    empty: str | None,
    other_contact: str,
) -> None:
    """An optional field that is null or empty is stored as if it were absent."""
    contact = {"email": "ada@example.com", "phone": "+12125550123"}
    without = {**contact, other_contact: ...}
    optional = (
        other_contact, "preferred_contact", "may_leave_voicemail", "best_time", "message",
        "website", "seconds_to_complete",
    )  # fmt: skip
    emptied = await post(client, body_of(**{**without, **dict.fromkeys(optional, empty)}))
    assert emptied.status_code == 201, emptied.text
    assert opened(app, emptied) == opened(app, await post(client, body_of(**without)))


NO_INTEGERS: list[object] = ["1", "12", True, 1.0, "١٢", []]

# Every code that a 422 can contain, with a change to a valid request that causes it.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    *(("name.required", {"name": value}) for value in (..., None, "", " \u3000 ")),
    ("name.wrong_type", {"name": ["Ada"]}),
    ("name.too_long", {"name": "n" * 201}),
    *(("name.invalid", {"name": f"Ada{c}"}) for c in "\0\r\n\t\x7f\x85\u2028\u202e\u2066\u200f"),
    *(("email.required", {"email": value}) for value in (None, "")),
    ("email.wrong_type", {"email": 7}),
    ("email.too_long", {"email": "e" * 255}),
    *(("email.invalid", {"email": value}) for value in (
        " ", "ada", "ada@", "@example.com", "a@b@example.com",
        "ada@example.com\r\nBcc: b@b.example", "ada@example.com\nRCPT TO:<b@b.example>",
        "ada@example.com\u202e", "ada@example.com\0", "Ada <ada@example.com>",
        "=?utf-8?q?eve=40evil.example?=@example.com")),
    ("phone.required", {"email": ...}),
    ("phone.wrong_type", {"phone": 2125550123}),
    ("phone.too_long", {"phone": "2" * 41}),
    *(("phone.invalid", {"phone": value}) for value in (
        " ", "555", "12345678901234", "212 555 0123 ext. x", "212\r\n5550123", "\u202e2125550123",
        "2125550123\0", "call me")),
    ("preferred_contact.wrong_type", {"preferred_contact": 1}),
    ("preferred_contact.invalid", {"preferred_contact": "fax"}),
    *(("may_leave_voicemail.wrong_type", {"may_leave_voicemail": v}) for v in ("true", 1, 0)),
    ("best_time.wrong_type", {"best_time": {}}),
    ("best_time.invalid", {"best_time": "Morning"}),
    *(("topic.required", {"topic": value}) for value in (..., None, "")),
    ("topic.wrong_type", {"topic": False}),
    ("topic.invalid", {"topic": "unknown"}),
    ("message.wrong_type", {"message": 1.5}),
    ("message.too_long", {"message": "m" * 2001}),
    ("message.invalid", {"message": "\0"}),
    *(("consent_to_contact.required", {"consent_to_contact": v})
      for v in (..., None, False, "")),
    *(("consent_to_contact.wrong_type", {"consent_to_contact": v}) for v in ("true", 1, "on")),
    *(("form_version.required", {"form_version": value}) for value in (..., None, "")),
    *(("form_version.wrong_type", {"form_version": v}) for v in NO_INTEGERS),
    *(("form_version.outdated", {"form_version": v}) for v in (0, -1, 2, 10**30, -(10**30))),
    *(("body.unknown_field", {name: "x"}) for name in (
        "id", "state", "assigned_to", "is_admin", "received_at", "receipt_token")),
    ("body.unknown_field", {"assigned_to": ""}),
    *(("answers.wrong_type", {"answers": value}) for value in ("x", 1, [], ["x"], True)),
    *(("consents.wrong_type", {"consents": value}) for value in ("x", 1, [], ["x"], True)),
    *(("locale.invalid", {"locale": value}) for value in (
        "e", "en_US", "en-", " en", "en\n", "en-" + "x" * 9, "en-" + "-".join(["abcdefgh"] * 5))),
    ("locale.wrong_type", {"locale": 7}),
    ("website.wrong_type", {"website": False}),
    ("website.too_long", {"website": "w" * 2001}),
    ("seconds_to_complete.wrong_type", {"seconds_to_complete": 1.5}),
    ("seconds_to_complete.too_small", {"seconds_to_complete": -1}),
    ("seconds_to_complete.too_large", {"seconds_to_complete": 10**9 + 1}),
]  # fmt: skip
# These codes have another pointer than the name of the field.
OTHER_CODES = {"body.wrong_type", "body.more_unknown_fields"} | {
    f"{group}.{reason}"
    for group in ("answers", "consents")
    for reason in ("unknown_field", "more_unknown_fields")
}


@pytest.mark.shared
@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("code", "change"), FAULTS)
async def test_every_fault_has_its_code(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, code: str, change: dict[str, Any]
) -> None:
    """A fault has its pointer, its code and the form's message, and nothing is stored."""
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    answer = await post(client, body_of(**change))
    (name,) = change
    expected = [(f"#/{name}", code)]
    if code in ("email.required", "phone.required"):
        expected = [("#/email", "email.required"), ("#/phone", "phone.required")]
    assert faults(answer) == expected
    assert [f["detail"] for f in answer.json()["errors"]] == [messages[c] for _, c in expected]
    assert count(engine) == 0


async def test_the_form_has_a_message_for_every_code_and_no_other(
    client: httpx.AsyncClient,
) -> None:
    """The form's `messages` have exactly the codes that a 422 can contain."""
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    assert set(messages) == {code for code, _ in FAULTS} | OTHER_CODES
    assert all(text.strip().endswith(".") for text in messages.values())


async def test_all_faults_are_reported_at_once(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """Faults of fields, across fields and of unknown fields come in one answer."""
    sent = {
        "name": "A\0", "message": "m" * 2001, "topic": "x", "best_time": 1, "is_admin": True,
        "consent_to_contact": False, "form_version": "1", "may_leave_voicemail": "no",
        "preferred_contact": "x",
    }  # fmt: skip
    assert sorted(faults(await post(client, json.dumps(sent).encode()))) == [
        ("#/best_time", "best_time.wrong_type"),
        ("#/consent_to_contact", "consent_to_contact.required"),
        ("#/email", "email.required"),
        ("#/form_version", "form_version.wrong_type"),
        ("#/is_admin", "body.unknown_field"),
        ("#/may_leave_voicemail", "may_leave_voicemail.wrong_type"),
        ("#/message", "message.too_long"),
        ("#/name", "name.invalid"),
        ("#/phone", "phone.required"),
        ("#/preferred_contact", "preferred_contact.invalid"),
        ("#/topic", "topic.invalid"),
    ]


async def test_an_outdated_form_is_one_of_the_faults(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """An outdated `form_version` is reported together with the other faults."""
    answer = await post(client, body_of(form_version=2, topic="x"))
    assert sorted(faults(answer)) == [
        ("#/form_version", "form_version.outdated"),
        ("#/topic", "topic.invalid"),
    ]


@pytest.mark.shared
@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("unknown_field", "#/unknown_field"), ("_", "#/_"), ("a" * 40, "#/" + "a" * 40),
        ("a" * 41, "#"), ("Name", "#"), ("name1", "#"), ("", "#"), ("name\n", "#"), ("a/b", "#"),
        ("ñ", "#"), ("0", "#"),
    ],
)  # fmt: skip
async def test_names_of_unknown_fields(
    client: httpx.AsyncClient, open_clinic: None, name: str, pointer: str
) -> None:
    """An unknown name is repeated only if it has the form of a field name."""
    answer = await post(client, body_of(**{name: VALID["name"]}))
    assert faults(answer) == [(pointer, "body.unknown_field")]
