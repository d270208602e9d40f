"""The content version, and the log lines of changes."""

import logging
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from data.database import writing
from data.documents.content_version import changes, find_content_version, record_change
from models.publication import Kind
from models.section import Section
from tests.support.apps import set_status
from tests.support.clinic import clinic_content


def version_of(engine: Engine) -> int:
    with Session(engine) as session:
        return find_content_version(session)


@pytest.fixture
def changed(log: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns a function that reads the log lines about changes."""
    log.set_level(logging.DEBUG, "clinic_api")
    return lambda: [line for line in log.messages if line.startswith("content changed")]


async def test_a_transaction_raises_the_version_once(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """A status change with a planned reopening raises the version once, and logs both changes."""
    before, counted = version_of(engine), changes.count
    change = {"state": "temporarily_closed", "reopens_on": "2999-05-01", "reopen": True}
    set_status(engine, **change)
    assert (version_of(engine), changes.count) == (before + 1, counted + 1)
    assert changed() == ["content changed: status_change 2, status_change 3"]


async def test_a_load_logs_each_changed_document(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """A load logs each changed document; a load without changes keeps the version."""
    content, before = clinic_content(), version_of(engine)
    with writing(engine) as session:
        load_content(session, content=content)
    assert (version_of(engine), changed()) == (before, [])
    section, notice = content.sections[0].section, content.notices.notices[0]
    section.title, notice.text = "Another title", "Another text."
    with writing(engine) as session:
        load_content(session, content=content)
    assert version_of(engine) == before + 1
    names = f"notice {notice.slug}, section {section.slug}"
    assert changed() == [f"content changed: {names}"]


async def test_a_rollback_is_no_change(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """A rolled-back change keeps the version; the next change in the session counts again."""
    before, counted = version_of(engine), changes.count
    with writing(engine) as session:
        record_change(session, kind=Kind.CLINIC)
        session.rollback()
        session.get_one(Section, 1)
    assert (version_of(engine), changes.count, changed()) == (before, counted, [])
    with writing(engine) as session:
        record_change(session, kind=Kind.CLINIC)
        session.rollback()
        record_change(session, kind=Kind.FORM, slug="2")
    assert (version_of(engine), changes.count) == (before + 1, counted + 1)
    assert changed() == ["content changed: form 2"]
