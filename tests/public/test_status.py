"""The clinic's state and status, and the answers that depend on them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from models.document import DocumentKey, Kind
from tests.support.apps import set_status
from tests.support.clinic import CLOSURE, clinic_content
from tests.support.intake import PATH

STATES = {
    "open": ("OPERATIONAL", "open", True, None),
    "temporarily_closed": ("CLOSED_TEMPORARILY", "paused", False, "temporarily_closed"),
    "permanently_closed": ("CLOSED_PERMANENTLY", "closed", False, "permanently_closed"),
}

STATUS = clinic_content().contents[DocumentKey(Kind.STATUS, Kind.STATUS, "en-US")]
MESSAGES = {"open": None, **STATUS.model_dump(mode="json")["intake_messages"]}


async def read(client: httpx.AsyncClient, path: str = "/v1/status") -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize("state", STATES)
async def test_all_answers_have_the_current_state(
    client: httpx.AsyncClient, engine: Engine, state: str
) -> None:
    """Status, lists, texts, form and bundle all have the current state."""
    set_status(engine, state=state)
    business_status, mode, accepting, reason = STATES[state]
    status = await read(client)
    assert (status["state"], status["business_status"]) == (state, business_status)
    assert status["consultations"] == {
        "mode": mode, "accepting": accepting, "reason": reason, "message": MESSAGES[mode],
        "form": f"{PATH}/form",
    }  # fmt: skip
    bundle = await read(client, "/v1/bundle")
    assert bundle["status"] == status
    form = await read(client, f"{PATH}/form")
    assert form["intake_message"] == MESSAGES[mode]
    assert (form["clinic_state"], form["accepting"], form["reason"]) == (state, accepting, reason)
    assert (await read(client, "/"))["clinic_state"] == state
    for path in ("/v1/sections", "/v1/faqs", "/v1/status/history"):
        assert (await read(client, path))["meta"]["clinic_state"] == state
    for path in ("/v1/sections", "/v1/faqs"):
        for text in (await read(client, path))["data"]:
            assert text["clinic_state"] == state
            first, *others = text["notices"]
            if state == "open":
                assert "clinic-status" not in [notice["slug"] for notice in text["notices"]]
            else:
                assert first == {"slug": "clinic-status", "text": status["message"]}
                assert "clinic-status" not in [notice["slug"] for notice in others]
    call = (await read(client, "/v1/sections/appointments"))["call_to_action"]
    assert call == {**call, "enabled": accepting}
    assert (call["disabled_reason"] is None) is accepting


@pytest.mark.parametrize(
    ("state", "mode", "accepting", "reason"),
    [
        ("open", "waitlist", True, "waitlist"),
        ("open", "paused", False, "intake_paused"),
        ("temporarily_closed", "open", True, None),
        ("temporarily_closed", "waitlist", True, "waitlist"),
    ],
)
async def test_the_mode_may_be_chosen(
    client: httpx.AsyncClient,
    engine: Engine,
    state: str,
    mode: str,
    accepting: bool,
    reason: str | None,
) -> None:
    """A chosen mode decides whether requests are accepted; `business_status` follows the state."""
    set_status(engine, state=state, mode=mode)
    status = await read(client)
    assert status["business_status"] == STATES[state][0]
    expected = {"mode": mode, "accepting": accepting, "reason": reason}
    assert {**status["consultations"], **expected} == status["consultations"]
    call = (await read(client, "/v1/sections/appointments"))["call_to_action"]
    assert call["enabled"] is accepting


async def test_answers_depend_on_the_state(client: httpx.AsyncClient, engine: Engine) -> None:
    """An FAQ whose answer depends on the state is served with the answer for the current state."""
    answers: dict[str, list[str]] = {}
    for state in STATES:
        set_status(engine, state=state)
        for faq in (await read(client, "/v1/faqs"))["data"]:
            answers.setdefault(faq["slug"], []).append(faq["answer"]["text"])
            one = await read(client, f"/v1/faqs/{faq['slug']}")
            assert one == faq
    faqs = {faq["slug"]: faq for faq in (await read(client, "/v1/faqs"))["data"]}
    depending = {slug for slug, faq in faqs.items() if faq["depends_on_status"]}
    assert depending
    for slug, texts in answers.items():
        assert len(set(texts)) == (3 if slug in depending else 1), slug


async def test_a_closed_clinic_names_other_help(client: httpx.AsyncClient) -> None:
    """The status names the place of the records, other clinics, and help in an emergency."""
    status = await read(client)
    assert (status["headline"], status["message"]) == (
        "The practice is permanently closed",
        "The practice is permanently closed. The texts describe it as it was.",
    )
    assert status["closure"] == CLOSURE
    assert status["alternatives"] == [
        {
            "name": "Example Movement",
            "url": "https://movement.example/",
            "note": "It has the same treatments.",
        },
        {"name": "Another Practice", "url": None, "note": None},
    ]
    assert status["safety_resources"] == [
        {
            "name": "Emergency services",
            "contact": "911",
            "note": "For an injury that cannot wait.",
        }
    ]


async def test_texts_and_reopening_day_of_a_change(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """A change's own headline, message and reopening day apply until the next change."""
    day = datetime.now(UTC).date() + timedelta(days=30)
    words = {"headline": "Closed for building works", "message": "We are back in a month."}
    default = await read(client)
    set_status(engine, state="temporarily_closed", reopens_on=day, **words)
    status = await read(client)
    assert {**status, **words, "reopens_on": day.isoformat()} == status
    section = await read(client, "/v1/sections/exercises")
    assert section["notices"][0]["text"] == words["message"]
    set_status(engine, state="permanently_closed")
    again = await read(client)
    assert (again["message"], again["reopens_on"]) == (default["message"], None)


async def test_a_planned_change(client: httpx.AsyncClient, engine: Engine) -> None:
    """A planned change is announced, takes effect at its time, and raises the version then."""
    before = await read(client)
    at = datetime.now(UTC) + timedelta(seconds=1)
    set_status(engine, state="open", effective_from=at)
    announced = await read(client)
    assert (announced["state"], announced["version"]) == ("permanently_closed", before["version"])
    assert announced["next_change"]["state"] == "open"
    assert datetime.fromisoformat(announced["next_change"]["effective_from"]) == at
    while datetime.now(UTC) < at:
        await asyncio.sleep(0.05)
    effective = await read(client)
    assert (effective["state"], effective["version"]) == ("open", before["version"] + 1)
    assert effective["next_change"] is None
    assert datetime.fromisoformat(effective["updated_at"]) == at
    assert (await client.get("/v1/sections")).json()["meta"]["clinic_state"] == "open"


async def test_the_next_change_is_the_earliest(client: httpx.AsyncClient, engine: Engine) -> None:
    """The next change is the earliest planned one, whatever was planned last."""
    now = datetime.now(UTC)
    for state, days in (("open", 20), ("temporarily_closed", 10), ("open", 30)):
        set_status(engine, state=state, effective_from=now + timedelta(days=days))
    assert (await read(client))["next_change"]["state"] == "temporarily_closed"


async def test_a_change_never_rewrites_the_past(client: httpx.AsyncClient, engine: Engine) -> None:
    """A backdated change is in effect now and keeps its date; the history is not changed."""
    set_status(engine, state="open")
    long_ago = datetime(2020, 5, 1, tzinfo=UTC)
    set_status(engine, state="temporarily_closed", effective_from=long_ago, backdated=True)
    status = await read(client)
    assert status["state"] == "temporarily_closed"
    assert status["effective_from"] == "2020-05-01T00:00:00Z"
    assert datetime.fromisoformat(status["updated_at"]) > long_ago
    history = (await read(client, "/v1/status/history"))["data"]
    assert [change["state"] for change in history] == [
        "temporarily_closed", "open", "permanently_closed",
    ]  # fmt: skip


async def test_the_history_comes_in_pages(client: httpx.AsyncClient, engine: Engine) -> None:
    """The history lists each change once, the newest first, in pages."""
    for number in range(6):
        set_status(engine, state="open", headline=f"Number {number}")
    everything = (await read(client, "/v1/status/history"))["data"]
    assert [c["headline"] for c in everything[:6]] == [f"Number {n}" for n in range(5, -1, -1)]
    paged: list[dict[str, Any]] = []
    path: str | None = "/v1/status/history?limit=3"
    while path:
        answer = await client.get(path)
        page = answer.json()
        assert page["meta"]["total"] == 7
        paged += page["data"]
        cursor = page["meta"]["next_cursor"]
        path = f"/v1/status/history?limit=3&cursor={cursor}" if cursor else None
        assert answer.links.get("next", {}).get("url") == path
    assert paged == everything


async def test_all_instants_are_utc(client: httpx.AsyncClient, engine: Engine) -> None:
    """A time with an offset is served in UTC, with a Z."""
    at = datetime(2020, 1, 1, 1, tzinfo=UTC).astimezone()
    set_status(engine, state="open", effective_from=at, backdated=True)
    assert (await read(client))["effective_from"] == "2020-01-01T01:00:00Z"
