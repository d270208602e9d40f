"""The migration 0009 of a database that release 0.1.0 wrote."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session, col, select

from data import schema
from data.documents.checks import check_documents
from data.documents.published import find_published
from models.consultation_form import FormContent
from models.document import Document, Kind, Revision
from models.values import utc_now
from tests.support.apps import client_of, running
from tests.support.documents import content_of, let_publications_begin, publish
from tests.support.intake import CONSENT, PATH, body_of, faults, post, problem
from tests.support.old_release import (
    RECEIPT,
    SCHEMA,
    body_at,
    old_rows,
    store_old,
    stored_content,
    upgraded,
)
from tests.support.staff import opened, signed_in

FIRST_LOAD = "2025-03-01T09:00:00+00:00"
READS = ("/v1/bundle", "/v1/status/history", "/v1/faqs", "/v1/clinic")


def public_time(stored: str) -> str | None:
    """How a time of an old row is served: the day of the first load is not known."""
    return None if stored == FIRST_LOAD else stored.replace("+00:00", "Z")


async def test_texts_are_served_as_before(empty_folder: Path) -> None:
    """Each text has its old words, references and notices, and its days as far as they are known.

    Its version is 1.
    """
    rows = old_rows()
    async with upgraded(empty_folder) as (client, _):
        for row in rows["section"]:
            section = await body_at(client, f"/v1/sections/{row['slug']}")
            for name in ("title", "summary", "position", "references"):
                assert section[name] == row[name]
            assert section["body"]["markdown"] == row["markdown"]
            assert section["image"] == row.get("image")
            assert_same_facts(section, row)
        for row in rows["faq"]:
            if row["slug"] != "may-it-hurt":
                faq = await body_at(client, f"/v1/faqs/{row['slug']}")
                for name in ("question", "topic", "position", "answered"):
                    assert faq[name] == row[name]
                answer = row["answers"]["open"] if "answers" in row else row["answer"]
                assert faq["answer"]["markdown"] == answer
                assert_same_facts(faq, row)


def assert_same_facts(text: dict[str, Any], row: dict[str, Any]) -> None:
    ordered = ["stop-if-it-hurts", "healing-times-differ"]
    named = [slug for slug in ordered if slug in row["notices"]]
    assert [notice["slug"] for notice in text["notices"]] == ["ask-your-therapist", *named]
    assert text["version"] == 1
    assert text["published_at"] == public_time(row["published_at"])
    assert text["updated_at"] == public_time(row["updated_at"])


async def test_the_clinic_is_served_as_edited(empty_folder: Path) -> None:
    """The clinic has the words of the last load; a period that ends after midnight says so."""
    async with upgraded(empty_folder) as (client, _):
        clinic = await body_at(client, "/v1/clinic")
        assert clinic["contact"]["phone"] == "(312) 555-0199"
        assert (clinic["locale"], clinic["locales"]) == ("en-US", ["en-US"])
        hours = {row["day"]: row for row in clinic["opening_hours"]}
        assert hours["friday"] == {
            "day": "friday", "opens": "20:00:00", "closes": "01:00:00", "closes_next_day": True
        }  # fmt: skip
        assert not hours["thursday"]["closes_next_day"]
        topics = (await body_at(client, "/v1/faqs"))["meta"]["topics"]
        assert [topic["slug"] for topic in topics] == ["visits", "training", "healing"]


async def test_withdrawn_and_renamed_texts(empty_folder: Path) -> None:
    """A withdrawn text answers 410, a former slug 308; a planned withdrawal is still planned."""
    async with upgraded(empty_folder) as (client, engine):
        problem(await client.get("/v1/faqs/may-it-hurt"), 410, "gone")
        for former, current in {
            "sections/before-your-visit": "sections/first-visit",
            "faqs/exercise-frequency": "faqs/how-often-to-exercise",
            "faqs/time-to-walk": "faqs/how-long-it-takes",
        }.items():
            moved = await client.get(f"/v1/{former}")
            assert (moved.status_code, moved.headers["Location"]) == (308, f"/v1/{current}")
        appointments = "/v1/sections/appointments"
        assert (await client.get(appointments)).status_code == 200
        let_publications_begin(engine)
        problem(await client.get(appointments), 410, "gone")


async def test_reviews(empty_folder: Path) -> None:
    """Each text has its review, also if it was changed after the first load."""
    async with upgraded(empty_folder) as (client, _):
        reviews = {
            section["slug"]: section["review"]
            for section in (await body_at(client, "/v1/sections"))["data"]
        }
        assert reviews["exercises"] == {
            "status": "overdue",
            "last_reviewed_on": "2020-01-15",
            "next_review_due_on": "2021-01-15",
        }
        assert reviews["first-visit"]["status"] == "current"
        assert reviews["recovery"]["status"] == "unknown"


async def test_words_of_status_changes(empty_folder: Path) -> None:
    """Own words of a status change are kept; its default words are those of the clinic now."""
    async with upgraded(empty_folder) as (client, engine):
        status = await body_at(client, "/v1/status")
        assert (status["state"], status["version"]) == ("open", 4)
        assert status["updated_at"] == "2025-05-02T05:00:00Z"
        assert status["next_change"]["message"] == "Goodbye."
        before = await words_of_changes(client)
        assert before == [
            "The practice is open",
            # These were the default words when the change was recorded.
            "The practice is temporarily closed",
            "We are back",
            "The practice is permanently closed",
        ]
        texts: Any = content_of(engine, "status")["texts"]
        other = {state: {**words, "headline": "Other"} for state, words in texts.items()}
        publish(engine, "status", texts=other)
        after = await words_of_changes(client)
        assert after == ["Other", before[1], before[2], "Other"]


async def words_of_changes(client: httpx.AsyncClient) -> list[str]:
    """The headlines of the history. The day of its oldest change is not known."""
    history = (await body_at(client, "/v1/status/history"))["data"]
    assert [change["recorded_at"] for change in history][-2:] == ["2025-03-02T08:00:00Z", None]
    return [change["headline"] for change in history]


async def test_revisions(empty_folder: Path) -> None:
    """All revisions come from files, are complete, and have no fault that the linter finds."""
    async with upgraded(empty_folder) as (_, engine):
        with Session(engine) as session:
            kinds = session.exec(
                select(Document.kind, Revision).join(
                    Document, col(Document.id) == Revision.document_id
                )
            ).all()
            published = find_published(session).effective.texts
        assert {revision.origin for _, revision in kinds} == {"file"}
        numbers = [revision.number for kind, revision in kinds if kind == Kind.FORM]
        assert numbers == [1, 2]
        assert {revision.number for kind, revision in kinds if kind != Kind.FORM} == {1}
        for kind, revision in kinds:
            if kind == Kind.FORM:
                assert revision.content is not None
                # With the checks across fields, as for a form that staff save.
                content = FormContent.model_validate(revision.content)
                assert content.model_dump(mode="json") == revision.content
        texts = {key: text.content for key, text in published.items() if hasattr(text, "content")}
        assert check_documents(texts) == []


async def test_the_form(empty_folder: Path) -> None:
    """The newest version is served, and a replaced one is accepted in the grace period."""
    rows = old_rows()
    replaced_at = utc_now() - timedelta(days=3)
    rows["consultation_form"][1]["published_at"] = replaced_at.isoformat()
    async with upgraded(empty_folder, rows) as (client, _):
        form = await body_at(client, f"{PATH}/form")
        assert form["version"] == 2
        assert form["schema"]["properties"]["name"]["title"] == "Your name"
        assert form["consents"][0]["text"] == CONSENT
        for version in (1, 2):
            answer = await post(client, body_of(form_version=version))
            assert answer.status_code == 201, answer.text


async def test_an_old_version_of_the_form(empty_folder: Path) -> None:
    """A version that was replaced before the grace period is outdated."""
    async with upgraded(empty_folder) as (client, _):
        answer = await post(client, body_of(form_version=1))
        assert faults(answer) == [("#/form_version", "form_version.outdated")]


async def test_an_old_request_is_opened(empty_folder: Path) -> None:
    """Staff read an old request with the labels that its sender saw; its receipt works."""
    [request] = old_rows()["consultation_request"]
    async with upgraded(empty_folder) as (client, engine):
        read = (await opened(client, request["id"], signed_in(engine))).json()
        assert read["sent"]["message"] == "My knee.\nBoth, in fact."
        assert (read["sent"]["form_version"], read["sent"]["answers"]) == (1, {})
        labels = {one["name"]: (one["label"], one["value"]) for one in read["sent"]["shown"]}
        assert labels["name"] == ("Name", "Ada")
        assert labels["topic"] == ("About", "Pain that stays")
        assert [consent["text"] for consent in read["consents"]] == [CONSENT]
        receipt = await client.get(f"{PATH}/{request['id']}", headers=RECEIPT)
        assert receipt.json()["state"] == "received"


async def test_down_and_up_again(empty_folder: Path) -> None:
    """Downgraded, the old tables contain what they had; upgraded again, it serves the same."""
    engine = store_old(empty_folder)
    expected = stored_content(engine)
    for row in [*expected["section"], *expected["faq"]]:
        row["version"] = 1
    # A text has this slug again, so nothing reads the row.
    expected["former_slug"].remove(
        {"kind": "faq", "slug": "how-long-it-takes", "current_slug": "time-to-walk"}
    )
    served = []
    for _ in range(2):
        schema.migrate(engine)
        async with running(empty_folder) as app, client_of(app) as client:
            served.append({path: await body_at(client, path) for path in READS})
        schema.revert(engine, to=SCHEMA)
        assert stored_content(engine) == expected
    assert served[0] == served[1]
    engine.dispose()
