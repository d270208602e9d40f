"""The downgrade of 0009 with content that the older schema cannot express in full."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, func, select

from data import schema
from data.database import writing
from data.documents.publishing import append_review
from data.documents.revisions import (
    blank_revision,
    find_newest_revision,
    save_revision,
)
from models.document import ChangeSize, Origin, Publication, PublicationType
from models.document_file import FileReview
from models.section import SectionContent
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.audit import open_with_audit
from tests.support.clinic import TIME_ZONE
from tests.support.documents import EDITOR, content_of, document_of, publish, withdraw
from tests.support.old_release import SCHEMA, Row, Rows, body_at, downgraded

STATES = ("open", "temporarily_closed", "permanently_closed")


@pytest.fixture
def database(folder: Path) -> Iterator[Engine]:
    engine = open_with_audit(folder)
    yield engine
    engine.dispose()


def texts_in(rows: Rows) -> dict[str, Row]:
    """The rows of sections and FAQs, by their slugs."""
    return {row["slug"]: row for row in [*rows["section"], *rows["faq"]]}


def filled_at(engine: Engine) -> datetime:
    with Session(engine) as session:
        return session.exec(select(func.min(Publication.from_at))).one()


def local_day(at: datetime) -> Any:
    return at.astimezone(ZoneInfo(TIME_ZONE)).date()


def test_what_was_filled_in(database: Engine) -> None:
    """All texts have the time of the filling, and each status change has the words of its state."""
    set_status(database, state="open", headline="We are back")
    at = filled_at(database)
    rows = downgraded(database)
    texts = texts_in(rows)
    assert len(texts) == 10
    for text in texts.values():
        assert (text["version"], text["published_at"], text["updated_at"]) == (1, at, at)
    assert rows["consultation_form"][0]["published_at"] == at
    closed, opened = rows["status_change"]
    assert closed["headline"] == "The practice is permanently closed"
    assert (opened["headline"], opened["message"]) == ("We are back", "The practice is open.")
    assert texts["exercises"]["last_reviewed_on"].isoformat() == "2020-01-15"
    former = {row["slug"]: row["current_slug"] for row in rows["former_slug"]}
    assert former == {
        "before-your-visit": "first-visit", "exercise-frequency": "how-often-to-exercise"
    }  # fmt: skip


def test_texts_for_states_and_modes(database: Engine) -> None:
    """A section keeps the text of the present state; an FAQ the answer for each state."""
    bodies = {state: f"Recovery, {state}." for state in STATES}
    publish(database, "section", "recovery", body=None, body_by_state=bodies)
    modes = {mode: f"Mode {mode}." for mode in ("open", "waitlist", "paused", "closed")}
    publish(database, "faq", "what-to-bring", answer=None, answer_by_mode=modes)
    shown: Any = {"shown_in": ["permanently_closed"]}
    publish(database, "faq", "may-it-hurt", **shown)
    partly = {"permanently_closed": "Closed."}
    publish(database, "faq", "what-it-costs", answer=None, answer_by_state=partly, **shown)
    publish(database, "section", "first-visit", shown_in=["open"])
    texts = texts_in(downgraded(database))
    assert texts["recovery"]["markdown"] == "Recovery, permanently_closed."
    assert (texts["recovery"]["version"], texts["may-it-hurt"]["version"]) == (2, 2)
    bring = texts["what-to-bring"]
    assert (bring["answer"], bring["answers"]) == (
        None,
        {
            "open": "Mode open.",
            "temporarily_closed": "Mode paused.",
            "permanently_closed": "Mode closed.",
        },
    )
    costs = texts["what-it-costs"]
    assert (costs["answer"], costs["answers"]) == ("Closed.", None)
    assert set(texts["can-i-come-now"]["answers"]) == set(STATES)
    # The older version would show it in every state.
    assert "first-visit" not in texts


def test_drafts_and_plans(database: Engine) -> None:
    """Drafts and planned publications are lost; a planned withdrawal for good is kept."""
    soon = utc_now() + timedelta(days=10)
    later = soon + timedelta(days=5)
    publish(database, "section", "recovery", title="Planned", from_at=soon)
    withdraw(database, "section", "recovery", from_at=later)
    withdraw(database, "section", "exercises", from_at=soon)
    publish(database, "section", "exercises", title="Planned again", from_at=later)
    publish(database, "section", "appointments", title="For ten days", until_at=soon)
    withdraw(
        database, "faq", "may-it-hurt", how=PublicationType.MOVED, moved_to="other", from_at=soon
    )
    publish(database, "faq", "new", content=content_of(database, "faq", "may-it-hurt"),
            from_at=soon)  # fmt: skip
    with writing(database) as session:
        document = document_of(session, "section", "first-visit")
        content = SectionContent.model_validate(content_of(database, "section", "first-visit"))
        draft = content.model_copy(update={"title": "A draft"})
        save_revision(session, document=document, content=draft, origin=Origin.STAFF, editor=EDITOR)
    texts = texts_in(downgraded(database))
    recovery, exercises = texts["recovery"], texts["exercises"]
    assert recovery["title"] == "How long does it take to recover?"
    assert (recovery["version"], recovery["withdrawn_on"]) == (1, local_day(later))
    assert exercises["withdrawn_on"] is None
    appointments = texts["appointments"]
    assert (appointments["title"], appointments["withdrawn_on"]) == ("For ten days", None)
    assert texts["first-visit"]["title"] == "Your first visit"
    assert texts["may-it-hurt"]["withdrawn_on"] is None
    assert "new" not in texts


def test_withdrawn_texts(database: Engine) -> None:
    """A text that is gone, recalled or over is withdrawn; a text that moved is a former slug."""
    withdraw(database, "section", "recovery", reason="Outdated.")
    withdraw(database, "faq", "may-it-hurt", how=PublicationType.RECALLED)
    publish(database, "faq", "what-to-bring", from_at=utc_now() + timedelta(days=9))
    withdraw(database, "faq", "what-to-bring")
    content = content_of(database, "faq", "what-it-costs")
    ended = utc_now() - timedelta(seconds=1)
    publish(database, "faq", "ended", content=content, from_at=ended - timedelta(days=1),
            until_at=ended)  # fmt: skip
    moved: Any = {"how": PublicationType.MOVED, "moved_to": "how-often-to-exercise"}
    withdraw(database, "faq", "how-long-it-takes", **moved)
    rows = downgraded(database)
    texts = texts_in(rows)
    for slug in ("recovery", "may-it-hurt", "what-to-bring", "ended"):
        assert texts[slug]["withdrawn_on"] in (local_day(ended), local_day(utc_now()))
    assert "how-long-it-takes" not in texts
    moves = {row["slug"]: row["current_slug"] for row in rows["former_slug"]}
    assert moves["how-long-it-takes"] == "how-often-to-exercise"


def test_a_blanked_text_does_not_return(database: Engine) -> None:
    """If the revision in effect was blanked, no earlier one is carried."""
    publish(database, "section", "recovery", title="With a name")
    with writing(database) as session:
        document = document_of(session, "section", "recovery")
        revision = find_newest_revision(session, document=document)
        assert revision is not None
        blank_revision(session, revision=revision)
    assert "recovery" not in texts_in(downgraded(database))


def test_days_and_reviews(database: Engine) -> None:
    """Known days are kept, and a review counts until the next major change."""
    at = filled_at(database)
    publish(database, "section", "recovery", title="Major")
    publish(database, "section", "exercises", title="Minor", change=ChangeSize.MINOR)
    publish(database, "section", "first-visit", published_on="2019-04-30", title="Major")
    with writing(database) as session:
        document = document_of(session, "section", "appointments")
        revision = find_newest_revision(session, document=document)
        assert revision is not None
        for day in ("2021-05-06", "2022-05-06"):
            review = FileReview.model_validate({"last_reviewed_on": day})
            append_review(
                session, document=document, revision=revision, review=review, editor=EDITOR
            )
    texts = texts_in(downgraded(database))
    assert texts["recovery"]["published_at"] == at < texts["recovery"]["updated_at"]
    exercises = texts["exercises"]
    assert (exercises["title"], exercises["version"], exercises["updated_at"]) == ("Minor", 2, at)
    assert exercises["last_reviewed_on"].isoformat() == "2020-01-15"
    first_visit = texts["first-visit"]
    assert first_visit["published_at"] == datetime(2019, 4, 30, 5, tzinfo=UTC)
    assert first_visit["updated_at"] > at
    assert first_visit["last_reviewed_on"] is None
    assert texts["appointments"]["last_reviewed_on"].isoformat() == "2022-05-06"


async def test_days_return(folder: Path, database: Engine) -> None:
    """A database that was downgraded and upgraded serves the days that it served before."""
    publish(database, "section", "recovery", title="Major")
    minor: Any = {"change": ChangeSize.MINOR}
    publish(database, "section", "exercises", published_on="2019-04-30", **minor)
    publish(database, "section", "first-visit", updated_on="2020-04-30", **minor)
    before = await served_days(folder)
    schema.revert(database, to=SCHEMA)
    schema.migrate(database)
    assert await served_days(folder) == before
    assert before["exercises"] == ("2019-04-30T05:00:00Z", "2019-04-30T05:00:00Z")
    assert before["first-visit"] == (None, "2020-04-30T05:00:00Z")
    assert before["appointments"] == (None, None)


async def served_days(folder: Path) -> dict[str, tuple[str | None, str | None]]:
    async with running(folder) as app, client_of(app) as client:
        bundle = await body_at(client, "/v1/bundle")
    texts = [*bundle["sections"], *bundle["faqs"]]
    return {text["slug"]: (text["published_at"], text["updated_at"]) for text in texts}


def test_other_languages_are_lost(database: Engine) -> None:
    """Only the documents in the clinic's default language are kept."""
    publish(database, "clinic", locales=["en-US", "es"])
    content = content_of(database, "section", "recovery")
    publish(database, "section", "recovery", locale="es", content=content, title="Otra lengua")
    rows = downgraded(database)
    clinic = rows["clinic"]
    assert [row["locale"] for row in clinic] == ["en-US"]
    assert clinic[0]["opening_hours"][0] == {
        "day": "monday", "opens": "09:00:00", "closes": "12:30:00"
    }  # fmt: skip
    assert len(rows["section"]) == 4
