"""The list of documents for staff."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine

from data.database import writing
from data.documents.revisions import find_newest_revision
from models.document import Review
from models.values import utc_now
from tests.support.documents import document_of, publish
from tests.support.editing import DOCUMENTS, SECTION, Desk, later, path_of
from tests.support.intake import problem

EXERCISES = path_of("section", "exercises")


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


async def test_the_list(desk: Desk, engine: Engine) -> None:
    """The list has each document with its state; filters and pages agree with it."""
    await desk.create("section", "a-draft", SECTION)
    await desk.create("section", "a-plan", SECTION)
    await desk.publish(path_of("section", "a-plan"), from_at=later(days=1))
    await desk.save(EXERCISES, title="Newer")
    publish(engine, "section", "recovery", title="Public")
    await desk.withdraw(path_of("section", "first-visit"), type="gone", reason="Old.")
    listed = await desk.read(f"{DOCUMENTS}?kind=section")
    states = {item["slug"]: item["state"] for item in listed["data"]}
    assert states == {
        "a-draft": "draft",
        "a-plan": "planned",
        "appointments": "live",
        "before-your-visit": "withdrawn",
        "exercises": "changed",
        "first-visit": "withdrawn",
        "recovery": "live",
    }
    assert list(states) == sorted(states)
    by_slug = {item["slug"]: item for item in listed["data"]}
    former = by_slug["before-your-visit"]
    assert (former["newest_revision"], former["title"], former["updated_at"]) == (None, None, None)
    changed = by_slug["exercises"]
    assert (changed["live_revision"], changed["newest_revision"]) == (1, 2)
    assert (changed["title"], changed["updated_by"]) == ("Newer", "Ada")
    assert [item["revision"] for item in by_slug["a-plan"]["planned"]] == [1]
    for state in set(states.values()):
        found = await desk.read(f"{DOCUMENTS}?kind=section&state={state}")
        expected = [slug for slug, its in states.items() if its == state]
        assert [item["slug"] for item in found["data"]] == expected
        assert found["meta"]["total"] == len(expected)
    everything, query = [], f"{DOCUMENTS}?limit=3"
    while query:
        page = await desk.read(query)
        everything += page["data"]
        cursor = page["meta"]["next_cursor"]
        query = f"{DOCUMENTS}?limit=3&cursor={cursor}" if cursor else ""
    assert everything == (await desk.read(DOCUMENTS))["data"]
    assert (await desk.read(f"{DOCUMENTS}?locale=fr"))["data"] == []
    for wrong in ("kind=poem", "state=x", "review=x", "locale=!", "unknown=1", "cursor=abc"):
        problem(await desk.get(f"{DOCUMENTS}?{wrong}"), 400, "invalid-query")


@pytest.mark.parametrize(
    ("verdict", "due_in", "expected"),
    [
        ("approved", None, "approved"),
        ("approved", 40, "approved"),
        ("approved", 20, "due"),
        ("approved", 1, "due"),
        ("approved", -2, "overdue"),
        ("changes_requested", 40, "changes_requested"),
    ],
)
async def test_the_last_review_is_listed(
    desk: Desk, engine: Engine, verdict: str, due_in: int | None, expected: str
) -> None:
    """The list has the last review of a document, and whether the next one is due."""
    today = utc_now().date()
    due = None if due_in is None else today + timedelta(days=due_in)
    with writing(engine) as session:
        document = document_of(session, "section", "exercises")
        revision = find_newest_revision(session, document=document)
        assert revision is not None
        for reviewer, result in (("Eve", "approved"), ("Ada", verdict)):
            session.add(
                Review(
                    revision_id=revision.id or 0, verdict=result, reviewed_on=today,
                    next_review_due_on=due, by=reviewer, comment=None, written_in=1, at=utc_now(),
                )
            )  # fmt: skip
    assert (await desk.line(EXERCISES))["review"] == {
        "status": expected,
        "revision": 1,
        "reviewed_by": "Ada",
        "reviewed_on": today.isoformat(),
        "next_review_due_on": due and due.isoformat(),
    }
    listed = await desk.read(f"{DOCUMENTS}?review={expected}")
    assert "exercises" in [item["slug"] for item in listed["data"]]
    assert {item["review"]["status"] for item in listed["data"]} == {expected}
    assert (await desk.read(f"{DOCUMENTS}?review=none"))["meta"]["total"] > 0
