"""Withdrawals of documents, as staff records them over HTTP."""

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.documents import let_publications_begin
from tests.support.editing import SECTION, Desk, later, path_of
from tests.support.intake import faults, problem

EXERCISES = path_of("section", "exercises")
PUBLIC = "/v1/sections/exercises"


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


@pytest.mark.parametrize("kind", ["gone", "recalled"])
async def test_a_text_is_withdrawn_and_comes_back(desk: Desk, kind: str) -> None:
    """A withdrawn text answers 410 with its reason; another publication brings it back."""
    withdrawn = await desk.withdraw(EXERCISES, type=kind, reason="It was wrong.")
    assert withdrawn.status_code == 201, withdrawn.text
    body = withdrawn.json()
    assert set(body) == {"id", "type", "reason", "moved_to", "from"}
    assert (body["type"], body["reason"], body["moved_to"]) == (kind, "It was wrong.", None)
    gone = await desk.client.get(PUBLIC)
    problem(gone, 410, "gone")
    assert gone.json()["reason"] == "It was wrong."
    assert gone.json()["recalled"] is (kind == "recalled")
    line = await desk.line(EXERCISES)
    assert (line["state"], line["live_revision"]) == ("withdrawn", None)
    assert await desk.publications(EXERCISES) == [(kind, "in_effect"), ("published", "past")]
    assert (await desk.publish(EXERCISES)).status_code == 201
    assert (await desk.client.get(PUBLIC)).status_code == 200
    assert (await desk.line(EXERCISES))["state"] == "live"


async def test_a_text_moves(desk: Desk) -> None:
    """A moved text redirects to the one that replaces it, also from former slugs."""
    moved = await desk.withdraw(EXERCISES, type="moved", moved_to="recovery")
    assert moved.status_code == 201, moved.text
    answer = await desk.client.get(PUBLIC)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/v1/sections/recovery")
    assert (await desk.line(EXERCISES))["state"] == "withdrawn"
    recalled = await desk.withdraw(EXERCISES, type="recalled", reason="It was wrong.")
    assert recalled.status_code == 201
    assert (await desk.client.get(PUBLIC)).status_code == 410


async def test_a_withdrawal_is_planned_and_called_off(desk: Desk, engine: Engine) -> None:
    """A planned withdrawal takes effect by the clock; one that was called off never does."""
    first = await desk.withdraw(EXERCISES, type="gone", reason="Old.", from_at=later(days=1))
    called_off = await desk.call_off(EXERCISES, first.json()["id"])
    assert called_off.json()["state"] == "called_off"
    assert (called_off.json()["type"], called_off.json()["revision"]) == ("gone", None)
    let_publications_begin(engine)
    assert (await desk.client.get(PUBLIC)).status_code == 200
    await desk.withdraw(EXERCISES, type="gone", reason="Old.", from_at=later(days=1))
    assert (await desk.line(EXERCISES))["state"] == "live"
    assert [item["type"] for item in (await desk.line(EXERCISES))["planned"]] == ["gone"]
    let_publications_begin(engine)
    problem(await desk.client.get(PUBLIC), 410, "gone")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("#/type", "type.required")]),
        ({"type": "published"}, [("#/type", "type.invalid")]),
        ({"type": "gone"}, [("#/reason", "reason.required")]),
        ({"type": "recalled", "reason": ""}, [("#/reason", "reason.required")]),
        (
            {"type": "gone", "moved_to": "recovery"},
            [("#/reason", "reason.required"), ("#/moved_to", "moved_to.not_allowed")],
        ),
        (
            {"type": "moved", "reason": "x"},
            [("#/moved_to", "moved_to.required"), ("#/reason", "reason.not_allowed")],
        ),
        ({"type": "moved", "moved_to": "exercises"}, [("#/moved_to", "moved_to.same")]),
        ({"type": "moved", "moved_to": "unknown"}, [("#/moved_to", "moved_to.not_live")]),
        ({"type": "moved", "moved_to": "may-it-hurt"}, [("#/moved_to", "moved_to.not_live")]),
        ({"type": "moved", "moved_to": "a-draft"}, [("#/moved_to", "moved_to.not_live")]),
        ({"type": "moved", "moved_to": "A b"}, [("#/moved_to", "moved_to.invalid")]),
        (
            {"type": "gone", "reason": "x", "from": later(seconds=-5)},
            [("#/from", "from.passed")],
        ),
        ({"type": "gone", "reason": "x", "until": None}, [("#/until", "body.unknown_field")]),
    ],
)
async def test_refused_withdrawals(
    desk: Desk, body: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    """Each fault of a withdrawal has its code; the text stays public."""
    await desk.create("section", "a-draft", SECTION)
    answer = await desk.write("POST", f"{EXERCISES}/withdrawals", body, of=EXERCISES)
    assert faults(answer) == expected
    assert all(fault["detail"].endswith(".") for fault in answer.json()["errors"])
    assert (await desk.client.get(PUBLIC)).status_code == 200


async def test_a_text_moves_to_one_that_is_planned(desk: Desk) -> None:
    """A planned withdrawal is checked against what is public at its time."""
    await desk.create("section", "spring", SECTION)
    await desk.publish(path_of("section", "spring"), from_at=later(days=10))
    for days, status in ((9, 422), (11, 201)):
        answer = await desk.withdraw(
            EXERCISES, type="moved", moved_to="spring", from_at=later(days=days)
        )
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("kind", ["clinic", "status", "form", "notices"])
async def test_some_documents_are_permanent(desk: Desk, kind: str) -> None:
    """The documents of which there is one are never withdrawn."""
    answer = await desk.withdraw(path_of(kind), type="gone", reason="Old.")
    problem(answer, 409, "document-permanent")


async def test_a_draft_is_not_withdrawn(desk: Desk) -> None:
    """A text that is not published before the withdrawal cannot be withdrawn."""
    await desk.create("section", "a-draft", SECTION)
    draft = path_of("section", "a-draft")
    problem(await desk.withdraw(draft, type="gone", reason="x"), 409, "document-not-published")
    await desk.publish(draft, from_at=later(days=2))
    early = await desk.withdraw(draft, type="gone", reason="x", from_at=later(days=1))
    problem(early, 409, "document-not-published")
    after = await desk.withdraw(draft, type="gone", reason="x", from_at=later(days=3))
    assert after.status_code == 201
