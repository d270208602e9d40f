"""Recording that something published changes."""

import logging
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from data.database import writing
from data.documents.publications import changes, find_content_version, record_change
from data.operations.load import load_content
from models.publication import Kind
from models.section import Section
from tests.support.apps import set_status
from tests.support.clinic import clinic_content


def version_of(engine: Engine) -> int:
    with Session(engine) as session:
        return find_content_version(session)


@pytest.fixture
def changed(log: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns the lines about changes so far."""
    log.set_level(logging.DEBUG, "clinic_api")
    return lambda: [line for line in log.messages if line.startswith("content changed")]


async def test_a_transaction_raises_the_version_once_and_names_what_it_changed(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """A status change and its planned opening are two documents in one version."""
    before, counted = version_of(engine), changes.count
    change = {"state": "temporarily_closed", "reopens_on": "2999-05-01", "reopen": True}
    set_status(engine, **change)
    assert (version_of(engine), changes.count) == (before + 1, counted + 1)
    assert changed() == ["content changed: status_change 2, status_change 3"]


async def test_a_load_names_each_document_that_differs(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """What is loaded again without a difference changes nothing, and raises no version."""
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


async def test_what_is_rolled_back_is_no_change(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """The version stays, nothing is logged, and the next change in the session counts again."""
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
