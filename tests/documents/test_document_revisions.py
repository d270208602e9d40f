"""Revisions of documents, as staff reads and blanks them over HTTP."""

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.audit import document_events
from tests.support.editing import SECTION, Desk, later, path_of
from tests.support.intake import faults, problem

EXERCISES = path_of("section", "exercises")


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


async def test_revisions(desk: Desk) -> None:
    """Revisions are listed without their contents, and read one by one; an older one restores."""
    before = (await desk.read(EXERCISES))["content"]
    await desk.save(EXERCISES, title="Second")
    listed = (await desk.read(f"{EXERCISES}/revisions"))["data"]
    assert [(item["revision"], item["origin"]) for item in listed] == [(2, "staff"), (1, "file")]
    assert "content" not in listed[0]
    second = await desk.read(f"{EXERCISES}/revisions/2")
    assert (second["saved_by"], second["content"]["title"]) == ("Ada", "Second")
    assert second["kind"] == "section"
    await desk.publish(EXERCISES, 2)
    assert (await desk.client.get("/v1/sections/exercises")).json()["title"] == "Second"
    await desk.publish(EXERCISES, 1)
    public = (await desk.client.get("/v1/sections/exercises")).json()
    assert (public["title"], public["version"]) == (before["title"], 1)
    assert (await desk.line(EXERCISES))["state"] == "changed"


async def test_a_revision_is_blanked(desk: Desk, engine: Engine) -> None:
    """The content of a revision that is not public goes for good; author and time stay."""
    await desk.save(EXERCISES, title="Call Eve at 555-0100")
    kept = await desk.read(f"{EXERCISES}/revisions/2")
    for _ in range(2):
        blanked = await desk.blank(EXERCISES, 2)
        assert blanked.status_code == 200, blanked.text
        assert blanked.json() == {**kept, "content": None}
    document = await desk.read(EXERCISES)
    assert (document["revision"], document["content"]) == (2, None)
    assert document["title"] != "Call Eve at 555-0100"
    assert faults(await desk.publish(EXERCISES, 2)) == [("#/revision", "revision.blanked")]
    actions = [action for action, _ in document_events(engine, "section/exercises/en-US")]
    assert actions == ["document.saved", "document.blanked"]
    saved = await desk.write(
        "PUT", EXERCISES, {"kind": "section", "content": SECTION}, of=EXERCISES
    )
    assert saved.json()["revision"] == 3


async def test_a_revision_in_use_is_not_blanked(desk: Desk) -> None:
    """A revision that is public, planned, or public again later is not blanked."""
    problem(await desk.blank(EXERCISES, 1), 409, "revision-in-use")
    await desk.save(EXERCISES, title="Second")
    await desk.publish(EXERCISES, 2, until=later(days=1))
    for revision in (1, 2):
        problem(await desk.blank(EXERCISES, revision), 409, "revision-in-use")
    await desk.save(EXERCISES, title="Third")
    planned = await desk.publish(EXERCISES, 3, from_at=later(days=2))
    problem(await desk.blank(EXERCISES, 3), 409, "revision-in-use")
    await desk.call_off(EXERCISES, planned.json()["id"])
    assert (await desk.blank(EXERCISES, 3)).status_code == 200
    await desk.save(EXERCISES, title="Fourth")
    await desk.publish(EXERCISES, 4)
    # The fourth has no end, so the others never come back.
    for revision in (1, 2):
        assert (await desk.blank(EXERCISES, revision)).status_code == 200
    assert (await desk.client.get("/v1/sections/exercises")).json()["title"] == "Fourth"
