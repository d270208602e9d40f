"""Publications of documents, as staff records and calls them off over HTTP."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.documents import let_publications_begin
from tests.support.editing import SECTION, Desk, later, path_of
from tests.support.intake import faults, problem

EXERCISES = path_of("section", "exercises")
APPOINTMENTS = path_of("section", "appointments")
MAY_IT_HURT = path_of("faq", "may-it-hurt")


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


async def public(desk: Desk, path: str = "/v1/sections/exercises") -> dict[str, Any]:
    document: dict[str, Any] = (await desk.client.get(path)).json()
    return document


async def test_a_publication_is_planned_and_takes_effect(desk: Desk, engine: Engine) -> None:
    """A planned publication is listed, and public from its time on."""
    before = (await public(desk))["title"]
    await desk.save(EXERCISES, title="Next year")
    planned = await desk.publish(EXERCISES, from_at=later(days=1), change="major", note="New year.")
    assert planned.status_code == 201, planned.text
    body = planned.json()
    assert [item["id"] for item in body["planned"]] == [body["id"]]
    assert (body["revision"], body["until"], body["note"]) == (2, None, "New year.")
    assert body["from"].endswith("Z")
    line = await desk.line(EXERCISES)
    assert (line["state"], line["live_revision"]) == ("changed", 1)
    assert line["planned"] == body["planned"]
    assert (await public(desk))["title"] == before
    assert await desk.publications(EXERCISES) == [
        ("published", "planned"),
        ("published", "in_effect"),
    ]
    let_publications_begin(engine)
    assert (await public(desk))["title"] == "Next year"
    assert await desk.publications(EXERCISES) == [("published", "in_effect"), ("published", "past")]
    problem(await desk.call_off(EXERCISES, body["id"]), 409, "already-in-effect")


async def test_a_plan_is_called_off(desk: Desk, engine: Engine) -> None:
    """A planned publication that is called off never takes effect; a repeated call is the same."""
    await desk.save(EXERCISES, title="Never")
    planned = (await desk.publish(EXERCISES, from_at=later(days=1))).json()
    first = await desk.call_off(EXERCISES, planned["id"])
    second = await desk.call_off(EXERCISES, planned["id"])
    assert (first.status_code, first.json()["state"]) == (200, "called_off")
    assert (second.status_code, second.json()) == (200, first.json())
    assert second.headers["ETag"] == first.headers["ETag"]
    let_publications_begin(engine)
    assert (await public(desk))["title"] != "Never"
    listed = (await desk.read(f"{EXERCISES}/publications"))["data"]
    assert [(item["state"], item["recorded_by"]) for item in listed] == [
        ("called_off", "Ada"),
        ("in_effect", "service"),
    ]
    problem(await desk.call_off(APPOINTMENTS, planned["id"]), 404, "not-found")


async def test_a_plan_cannot_undo_a_correction_unseen(desk: Desk) -> None:
    """A publication answers with the plans that stay."""
    await desk.save(EXERCISES, title="Planned")
    planned = (await desk.publish(EXERCISES, from_at=later(days=1))).json()
    withdrawal = (
        await desk.withdraw(EXERCISES, type="gone", reason="Old.", from_at=later(days=2))
    ).json()
    await desk.save(EXERCISES, title="Corrected")
    corrected = (await desk.publish(EXERCISES)).json()
    stands = [(item["id"], item["type"]) for item in corrected["planned"]]
    assert stands == [(planned["id"], "published"), (withdrawal["id"], "gone")]
    assert [item["change"] for item in corrected["planned"]] == ["minor", None]
    assert corrected["planned"][1]["reason"] == "Old."


async def test_after_its_end_the_publication_beneath_is_in_effect(
    desk: Desk, engine: Engine
) -> None:
    """A publication with an end gives way to the one before; without one the text is withdrawn."""
    await desk.save(EXERCISES, title="For a while")
    await desk.publish(EXERCISES, until=later(seconds=1))
    assert (await public(desk))["title"] == "For a while"
    await desk.create("section", "event", {**SECTION, "title": "An event"})
    event = path_of("section", "event")
    ended = (await desk.publish(event, until=later(seconds=1))).json()
    assert (await public(desk, "/v1/sections/event"))["title"] == "An event"
    while datetime.fromisoformat(ended["until"]) > datetime.now().astimezone():
        await desk.get(EXERCISES)
    assert (await public(desk))["title"] != "For a while"
    gone = await desk.client.get("/v1/sections/event")
    problem(gone, 410, "gone")
    assert (gone.json()["reason"], gone.json()["recalled"]) == (None, False)
    assert (await desk.line(event))["state"] == "withdrawn"
    assert (await desk.line(EXERCISES))["live_revision"] == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"change": None}, [("#/change", "change.required")]),
        ({"change": "huge"}, [("#/change", "change.invalid")]),
        ({"change": "major"}, [("#/note", "note.required")]),
        ({"change": "major", "note": ""}, [("#/note", "note.required")]),
        ({"revision": 2}, [("#/revision", "revision.unknown")]),
        ({"revision": 0}, [("#/revision", "revision.too_small")]),
        ({"revision": "1"}, [("#/revision", "revision.wrong_type")]),
        ({"revision": 10**30}, [("#/revision", "revision.too_large")]),
        ({"from": later(seconds=-5)}, [("#/from", "from.passed")]),
        ({"from": "2030-01-01T00:00:00"}, [("#/from", "from.invalid")]),
        ({"until": later(seconds=-5)}, [("#/until", "until.too_early")]),
        (
            {"from": "2998-01-01T00:00:00Z", "until": "2998-01-01T00:00:00Z"},
            [("#/until", "until.too_early")],
        ),
        ({"from_at": later(days=1)}, [("#/from_at", "body.unknown_field")]),
        (
            {"from": later(days=-1), "change": "major", "revision": 7},
            [
                ("#/from", "from.passed"),
                ("#/note", "note.required"),
                ("#/revision", "revision.unknown"),
            ],
        ),
    ],
)
async def test_refused_publications(
    desk: Desk, changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    """Each fault of a publication has its code, and all of them come at once."""
    body = {"revision": 1, "change": "minor", **changes}
    answer = await desk.write("POST", f"{EXERCISES}/publications", body, of=EXERCISES)
    assert faults(answer) == expected
    assert all(fault["detail"].endswith(".") for fault in answer.json()["errors"])
    assert await desk.publications(EXERCISES) == [("published", "in_effect")]


async def test_empty_strings_are_not_given(desk: Desk) -> None:
    """An empty string in an optional field counts as absent."""
    body = {"revision": 1, "change": "minor", "from": "", "until": "", "note": ""}
    answer = await desk.write("POST", f"{EXERCISES}/publications", body, of=EXERCISES)
    assert answer.status_code == 201, answer.text


async def test_a_faulty_text_is_not_published(desk: Desk) -> None:
    """A text with faults can be saved, but its publication lists each of them."""
    faulty: dict[str, Any] = {
        "body": "Fine.\n\nNot <b>fine</b>.",
        "notices": ["no-such-notice"],
    }
    assert (await desk.save(EXERCISES, **faulty)).status_code == 200
    answer = await desk.publish(EXERCISES)
    assert faults(answer) == [("#/revision", "revision.has_faults")] * 3
    details = [fault["detail"] for fault in answer.json()["errors"]]
    assert details == [
        "In `notices.0`: the notice does not exist.",
        "In `body`, line 3: raw HTML is not served.",
        "In `body`, line 3: raw HTML is not served.",
    ]
    assert "no-such-notice" not in answer.text


async def test_a_publication_does_not_break_other_texts(desk: Desk) -> None:
    """A notice or a topic that other texts use cannot be taken away; each use is named."""
    notices = path_of("notices")
    content = (await desk.read(notices))["content"]
    used = {
        slug
        for path in (EXERCISES, MAY_IT_HURT)
        for slug in (await desk.read(path))["content"]["notices"]
    }
    assert used
    kept = [notice for notice in content["notices"] if notice["slug"] not in used]
    await desk.save(notices, content={"notices": kept})
    answer = await desk.publish(notices)
    assert {code for _, code in faults(answer)} == {"revision.breaks_others"}
    details = [fault["detail"] for fault in answer.json()["errors"]]
    assert any("`may-it-hurt`" in d or "`exercises`" in d for d in details), details

    clinic = path_of("clinic")
    topics = (await desk.read(clinic))["content"]["faq_topics"]
    await desk.save(clinic, faq_topics=topics[1:])
    answer = await desk.publish(clinic)
    assert {code for _, code in faults(answer)} == {"revision.breaks_others"}
    assert "In the faq `" in answer.text
    assert "`topic`: is not one of the clinic's `faq_topics`." in answer.text


async def test_planned_publications_count(desk: Desk) -> None:
    """A text is checked against what will be public at its time."""
    notices = path_of("notices")
    content = (await desk.read(notices))["content"]
    new = {"slug": "in-spring", "scope": "text", "text": "Only in spring."}
    await desk.save(notices, content={"notices": [*content["notices"], new]})
    await desk.publish(notices, from_at=later(days=10))
    await desk.save(EXERCISES, notices=["in-spring"])
    for from_at in (None, later(days=9)):
        answer = await desk.publish(EXERCISES, from_at=from_at)
        assert faults(answer) == [("#/revision", "revision.has_faults")]
    assert (await desk.publish(EXERCISES, from_at=later(days=11))).status_code == 201


async def test_an_old_fault_does_not_prevent_a_correction(desk: Desk) -> None:
    """An FAQ whose section was withdrawn meanwhile can still be corrected."""
    faq = await desk.read(MAY_IT_HURT)
    section = path_of("section", faq["content"]["section"])
    withdrawn = await desk.withdraw(section, type="gone", reason="Old.")
    assert withdrawn.status_code == 201, withdrawn.text
    assert (await public(desk, "/v1/faqs/may-it-hurt"))["section"] is None
    await desk.save(MAY_IT_HURT, question="Does it hurt?")
    assert (await desk.publish(MAY_IT_HURT)).status_code == 201
    new = {**faq["content"], "question": "Another one?"}
    await desk.create("faq", "another", new)
    answer = await desk.publish(path_of("faq", "another"))
    assert faults(answer) == [("#/revision", "revision.has_faults")]


async def test_a_changed_consent_needs_a_higher_version(desk: Desk) -> None:
    """The text of a consent changes only together with its version."""
    form = path_of("form")
    consents = (await desk.read(form))["content"]["consents"]
    changed = [{**consents[0], "text": "Another text."}, *consents[1:]]
    await desk.save(form, consents=changed)
    answer = await desk.publish(form)
    assert faults(answer) == [("#/revision", "revision.consent_version")]
    assert "`consents.0`" in answer.json()["errors"][0]["detail"]
    raised = [{**changed[0], "version": changed[0]["version"] + 1}, *consents[1:]]
    await desk.save(form, consents=raised)
    assert (await desk.publish(form)).status_code == 201
    served = (await desk.client.get("/v1/consultation-requests/form")).json()
    assert (served["consents"][0]["text"], served["version"]) == ("Another text.", 3)


async def test_the_default_language_stays(desk: Desk) -> None:
    """A publication of the clinic cannot change the default language."""
    clinic = path_of("clinic")
    await desk.save(clinic, locales=["es", "en-US"])
    answer = await desk.publish(clinic)
    assert faults(answer) == [("#/revision", "revision.default_locale")]
    await desk.save(clinic, locales=["en-US", "es"])
    assert (await desk.publish(clinic)).status_code == 201
    assert (await desk.client.get("/v1/clinic")).json()["locales"] == ["en-US", "es"]
    content = (await desk.read(EXERCISES))["content"]
    created = await desk.create("section", "exercises", content, locale="es")
    assert created.status_code == 201
    # Each language has its own revisions and publications.
    spanish = path_of("section", "exercises", "es")
    assert (await desk.line(spanish))["state"] == "draft"
    assert (await desk.line(EXERCISES))["state"] == "live"


async def test_the_dates_of_a_text(desk: Desk) -> None:
    """A major publication moves `updated_at`, a minor one does not; the first sets both."""
    assert (await public(desk))["updated_at"] is None
    await desk.create("section", "dated", SECTION)
    dated = path_of("section", "dated")
    first = (await desk.publish(dated, change="major", note="It is new.")).json()
    shown = await public(desk, "/v1/sections/dated")
    assert shown["published_at"] == shown["updated_at"] == first["from"]
    await desk.save(dated, title="A minor change")
    await desk.publish(dated)
    assert (await public(desk, "/v1/sections/dated"))["updated_at"] == first["from"]
    await desk.save(dated, title="A major change")
    major = (await desk.publish(dated, change="major", note="It is better.")).json()
    shown = await public(desk, "/v1/sections/dated")
    assert (shown["published_at"], shown["updated_at"]) == (first["from"], major["from"])
    await desk.save(dated, title="Another minor change")
    await desk.publish(dated)
    assert (await public(desk, "/v1/sections/dated"))["updated_at"] == major["from"]
