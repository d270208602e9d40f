"""Publications: when a text is served, its dates, its variants, and the content version."""

import logging
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from data.database import writing
from data.documents.content_version import changes, find_content_version, record_change
from data.documents.published import find_published
from data.documents.publishing import append_publication
from models.document import ChangeSize, Document, Kind, PublicationType
from models.publication import Withdrawn
from models.values import utc_now
from tests.support.apps import set_status
from tests.support.documents import EDITOR, content_of, document_of, publish
from tests.support.intake import problem
from tests.support.waiting import wait_until


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
    assert changed() == ["content changed: status change 2, status change 3"]


async def test_each_changed_document_is_logged(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """The log line names each changed document once for each change."""
    before = version_of(engine)
    publish(engine, "section", "recovery", title="Another title")
    assert version_of(engine) == before + 1
    assert changed() == ["content changed: section recovery"]


async def test_a_rollback_is_no_change(
    client: httpx.AsyncClient, engine: Engine, changed: Callable[[], list[str]]
) -> None:
    """A rolled-back change keeps the version; the next change in the session counts again."""
    before, counted = version_of(engine), changes.count
    with writing(engine) as session:
        record_change(session, name="clinic")
        session.rollback()
        session.get_one(Document, 1)
    assert (version_of(engine), changes.count, changed()) == (before, counted, [])
    with writing(engine) as session:
        record_change(session, name="clinic")
        session.rollback()
        assert record_change(session, name="form") == before + 1
    assert (version_of(engine), changes.count) == (before + 1, counted + 1)
    assert changed() == ["content changed: form"]


async def test_a_rollback_is_not_served(client: httpx.AsyncClient, engine: Engine) -> None:
    """A publication that was rolled back is never served, also after a later one."""
    path = "/v1/sections/recovery"
    before = (await client.get(path)).json()
    with writing(engine) as session:
        text = document_of(session, "section", "recovery")
        how, reason = PublicationType.GONE, "It was out of date."
        append_publication(session, document=text, kind=how, reason=reason, editor=EDITOR)
        assert isinstance(find_published(session).find(Kind.SECTION, "recovery"), Withdrawn)
        session.rollback()
    publish(engine, "section", "exercises", title="Another title")
    assert (await client.get(path)).json() == before


async def test_a_plan_takes_effect_and_ends(client: httpx.AsyncClient, engine: Engine) -> None:
    """From its beginning to its end a publication is served; then the one beneath it is."""
    path = "/v1/sections/recovery"
    before = (await client.get(path)).json()
    begins = utc_now() + timedelta(seconds=0.4)
    ends = begins + timedelta(seconds=2)
    publish(engine, "section", "recovery", title="For a while", from_at=begins, until_at=ends)
    early = (await client.get(path)).json()
    assert early == before or utc_now() >= begins

    async def is_served() -> bool:
        return bool((await client.get(path)).json()["title"] == "For a while")

    async def is_over() -> bool:
        return not await is_served()

    await wait_until(is_served)
    await wait_until(is_over)
    after = (await client.get(path)).json()
    assert after["updated_at"] is not None
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


async def test_a_text_ends_without_another(client: httpx.AsyncClient, engine: Engine) -> None:
    """A text whose only publication has ended is gone, without a reason."""
    content = content_of(engine, "section", "recovery")
    now = utc_now()
    ends = now + timedelta(seconds=2)
    publish(engine, "section", "for-a-while", content=content, until_at=ends)
    assert (await client.get("/v1/sections/for-a-while")).status_code == 200

    async def is_gone() -> bool:
        return (await client.get("/v1/sections/for-a-while")).status_code == 410

    await wait_until(is_gone)
    document = problem(await client.get("/v1/sections/for-a-while"), 410, "gone")
    assert document["reason"] is None


async def test_dates_are_served_where_they_are_known(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """A text of the first filling has no dates; a major publication sets `updated_at` only."""

    async def dates(slug: str) -> tuple[str | None, str | None]:
        text = (await client.get(f"/v1/sections/{slug}")).json()
        return text["published_at"], text["updated_at"]

    assert await dates("recovery") == (None, None)
    publish(engine, "section", "recovery", title="A minor change", change=ChangeSize.MINOR)
    assert await dates("recovery") == (None, None)
    publish(engine, "section", "recovery", title="A major change")
    published_at, updated_at = await dates("recovery")
    assert published_at is None
    assert updated_at is not None
    publish(engine, "section", "recovery", title="Another one", change=ChangeSize.MINOR)
    assert await dates("recovery") == (None, updated_at)
    publish(engine, "section", "recovery", published_on="2020-01-31", updated_on="2021-01-31",
            change=ChangeSize.MINOR)  # fmt: skip
    assert await dates("recovery") == ("2020-01-31T06:00:00Z", updated_at)
    content = content_of(engine, "section", "recovery")
    content |= {"published_on": None, "updated_on": None}
    publish(engine, "section", "new", content=content, change=ChangeSize.MINOR)
    first = await dates("new")
    assert first[0] == first[1] is not None


async def test_a_review_counts_until_a_major_change(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """A minor change keeps the review of the text before it; a major one does not."""

    async def review() -> str:
        text = (await client.get("/v1/sections/first-visit")).json()
        return str(text["review"]["status"])

    assert await review() == "current"
    publish(engine, "section", "first-visit", title="Minor", change=ChangeSize.MINOR)
    assert await review() == "current"
    publish(engine, "section", "first-visit", title="Major")
    assert await review() == "unknown"


@pytest.mark.parametrize("kind", ["section", "faq"])
async def test_a_text_is_shown_in_its_states(
    client: httpx.AsyncClient, engine: Engine, kind: str
) -> None:
    """Elsewhere a text with `shown_in` is in no list, and its slug is unknown."""
    slug = {"section": "recovery", "faq": "what-to-bring"}[kind]
    publish(engine, kind, slug, shown_in=["permanently_closed"])
    for state, status in {"permanently_closed": 200, "open": 404}.items():
        if state == "open":
            set_status(engine, state=state)
        assert (await client.get(f"/v1/{kind}s/{slug}")).status_code == status
        listed = (await client.get(f"/v1/{kind}s")).json()
        slugs = [text["slug"] for text in listed["data"]]
        assert (slug in slugs) is (status == 200)
        assert listed["meta"]["total"] == len(slugs)


async def test_an_answer_depends_on_the_mode(client: httpx.AsyncClient, engine: Engine) -> None:
    """An FAQ and a section have the text for the clinic's state and mode."""
    modes = ["open", "waitlist", "paused", "closed"]
    answers = {mode: f"Answer while {mode}." for mode in modes}
    publish(engine, "faq", "what-to-bring", answer=None, answer_by_mode=answers)
    states = {"open": "Body while open.", "temporarily_closed": "Body while temporarily closed.",
              "permanently_closed": "Body while closed."}  # fmt: skip
    publish(engine, "section", "recovery", body=None, body_by_state=states)
    for state, mode in (
        ("permanently_closed", "closed"),
        ("open", "open"),
        ("open", "waitlist"),
        ("temporarily_closed", "paused"),
        ("temporarily_closed", "waitlist"),
    ):
        if mode != "closed":
            set_status(engine, state=state, mode=mode)
        faq = (await client.get("/v1/faqs/what-to-bring")).json()
        assert (faq["answer"]["markdown"], faq["depends_on_status"]) == (answers[mode], True)
        section = (await client.get("/v1/sections/recovery")).json()
        assert section["body"]["markdown"] == states[state]
