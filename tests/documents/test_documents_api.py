"""Documents and their revisions, as staff reads and saves them over HTTP."""

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.audit import document_events
from tests.support.editing import DOCUMENTS, SECTION, Desk, later, path_of
from tests.support.intake import faults, problem
from tests.support.staff import token_id

EXERCISES = path_of("section", "exercises")


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


async def test_a_document_is_created_saved_and_published(desk: Desk, engine: Engine) -> None:
    """A new text becomes public with its publication; each step leaves an audit event."""
    created = await desk.create("section", "new-one", SECTION, note="First words.")
    assert created.status_code == 201, created.text
    path = path_of("section", "new-one")
    assert created.headers["Location"] == path
    assert created.headers["Cache-Control"] == "no-store"
    document = created.json()
    assert (document["state"], document["revision"], document["title"]) == ("draft", 1, "A title")
    assert (document["note"], document["updated_by"]) == ("First words.", "Ada")
    assert document["content"]["references"] == []
    assert created.headers["ETag"] == await desk.tag(path)
    problem(await desk.client.get("/v1/sections/new-one"), 404, "not-found")

    saved = await desk.save(path, title="Another title")
    assert saved.status_code == 200
    assert (saved.json()["revision"], saved.json()["state"]) == (2, "draft")
    published = await desk.publish(path, change="major", note="It is new.")
    assert published.status_code == 201, published.text
    assert published.json()["planned"] == []
    assert (await desk.client.get("/v1/sections/new-one")).json()["title"] == "Another title"
    line = await desk.line(path)
    assert (line["state"], line["live_revision"], line["newest_revision"]) == ("live", 2, 2)
    url = "/v1/staff/audit-events?subject=section/new-one/en-US"
    listed = (await desk.read(url))["data"]
    assert [event["action"] for event in listed] == [
        "document.published",
        "document.saved",
        "document.created",
    ]
    assert {event["actor"] for event in listed} == {token_id(desk.headers)}
    assert document_events(engine, "section/new-one/en-US") == [
        ("document.created", {"revision": 1, "origin": "staff"}),
        ("document.saved", {"revision": 2, "origin": "staff"}),
        (
            "document.published",
            {"publication": int(published.json()["id"]), "revision": 2, "change": "major"},
        ),
    ]


async def test_the_same_content_makes_no_revision(desk: Desk, engine: Engine) -> None:
    """Saving the newest content again answers 200 with the same tag, and records nothing."""
    tag, before = await desk.tag(EXERCISES), await desk.read(EXERCISES)
    again = await desk.save(EXERCISES)
    assert (again.status_code, again.headers["ETag"], again.json()) == (200, tag, before)
    assert document_events(engine, "section/exercises/en-US") == []


async def test_each_change_has_another_tag(desk: Desk) -> None:
    """The tag changes with a revision, a publication, a withdrawal, a calling off, a blanking."""
    tags = [await desk.tag(EXERCISES)]
    assert tags[0].startswith('"')

    async def add(answer: httpx.Response) -> None:
        assert answer.status_code in (200, 201), answer.text
        tags.append(answer.headers["ETag"])
        assert tags[-1] == await desk.tag(EXERCISES)

    await add(await desk.save(EXERCISES, title="Second"))
    await add(await desk.publish(EXERCISES))
    planned = await desk.withdraw(EXERCISES, type="gone", reason="Old.", from_at=later(days=1))
    await add(planned)
    await add(await desk.call_off(EXERCISES, planned.json()["id"]))
    await add(await desk.save(EXERCISES, title="Third"))
    await add(await desk.blank(EXERCISES, 3))
    assert len(set(tags)) == len(tags) == 7


@pytest.mark.parametrize("wrong", [None, '"stale"', "*", "W/{tag}", "{tag}x"])
async def test_a_stale_tag_changes_nothing(desk: Desk, wrong: str | None) -> None:
    """Without `If-Match` 428, with another tag 412; nothing is changed."""
    planned = await desk.publish(EXERCISES, from_at=later(days=1))
    tag, before = await desk.tag(EXERCISES), await desk.read(EXERCISES)
    listed = await desk.publications(EXERCISES)
    body = {"kind": "section", "content": {**before["content"], "title": "Changed"}}
    calls = [
        ("PUT", "", body),
        ("POST", "/publications", {"revision": 1, "change": "minor"}),
        ("POST", "/withdrawals", {"type": "gone", "reason": "Old."}),
        ("DELETE", f"/publications/{planned.json()['id']}", None),
        ("DELETE", "/revisions/1", None),
    ]
    for method, path, sent in calls:
        headers = dict(desk.headers)
        if wrong:
            headers["If-Match"] = wrong.format(tag=tag)
        answer = await desk.client.request(method, f"{EXERCISES}{path}", json=sent, headers=headers)
        if wrong:
            problem(answer, 412, "precondition-failed")
        else:
            problem(answer, 428, "precondition-required")
    assert await desk.read(EXERCISES) == before
    assert await desk.publications(EXERCISES) == listed


async def test_names_of_new_documents(desk: Desk) -> None:
    """A name is free, has one of the clinic's languages, and a single kind has its own name."""
    content = (await desk.read(path_of("notices")))["content"]
    problem(await desk.create("section", "exercises", SECTION), 409, "slug-taken")
    problem(await desk.create("notices", "notices", content), 409, "slug-taken")
    other = await desk.create("notices", "others", content)
    assert faults(other) == [("#/slug", "slug.invalid")]
    unknown = await desk.create("section", "a-new-one", SECTION, locale="fr")
    assert faults(unknown) == [("#/locale", "locale.invalid")]
    # A former slug of another section.
    problem(await desk.create("section", "before-your-visit", SECTION), 409, "slug-taken")
    synonyms = await desk.create("synonyms", "synonyms", {"groups": [["knee", "joint"]]})
    assert synonyms.status_code == 201
    for slug in ("", "A", "a--b", "-a", "a/b", "x" * 81, 5, None, "é"):
        answer = await desk.create("section", slug, SECTION)  # type: ignore[arg-type]
        assert answer.status_code == 422, slug


async def test_unknown_documents(desk: Desk) -> None:
    """An unknown kind, slug, language, revision or publication is a 404."""
    paths = [
        path_of("poem", "exercises"),
        path_of("section", "unknown"),
        path_of("section", "exercises", "fr"),
        path_of("section", "exercises", "EN"),
        path_of("faq", "exercises"),
        f"{EXERCISES}/revisions/2",
        f"{EXERCISES}/revisions/0",
        f"{EXERCISES}/revisions/x",
        f"{path_of('section', 'unknown')}/revisions",
        f"{path_of('section', 'unknown')}/publications",
    ]
    for path in paths:
        problem(await desk.get(path), 404, "not-found")
    for publication in ("999", "0", "x", "1"):
        answer = await desk.call_off(EXERCISES, publication)
        problem(answer, 404, "not-found")
    problem(await desk.blank(EXERCISES, 7), 404, "not-found")


@pytest.mark.parametrize("kind", ["clinic", "status", "form", "notices", "section", "faq"])
async def test_what_is_read_can_be_saved(desk: Desk, kind: str) -> None:
    """The content of each kind of document can be saved as it is read."""
    [first, *_] = (await desk.read(f"{DOCUMENTS}?kind={kind}"))["data"]
    path = path_of(kind, first["slug"])
    content = (await desk.read(path))["content"]
    saved = await desk.write("PUT", path, {"kind": kind, "content": content}, of=path)
    assert (saved.status_code, saved.json()["revision"]) == (200, 1)


async def test_reads_need_any_scope_for_content(
    client: httpx.AsyncClient, engine: Engine, desk: Desk
) -> None:
    """Each scope for content permits to read; only some permit to save, publish or blank."""
    for scope in ("content:write", "content:publish", "content:review"):
        reader = Desk(client, engine, scope)
        for path in (DOCUMENTS, EXERCISES, f"{EXERCISES}/revisions", f"{EXERCISES}/revisions/1",
                     f"{EXERCISES}/publications"):  # fmt: skip
            assert (await reader.get(path)).status_code == 200
    writer = Desk(client, engine, "content:write")
    publisher = Desk(client, engine, "content:publish")
    assert (await writer.save(EXERCISES, title="Mine")).status_code == 200
    problem(await publisher.save(EXERCISES, title="Other"), 403, "forbidden")
    problem(await publisher.create("section", "x", SECTION), 403, "forbidden")
    problem(await writer.publish(EXERCISES), 403, "forbidden")
    problem(await writer.withdraw(EXERCISES, type="gone", reason="x"), 403, "forbidden")
    problem(await writer.blank(EXERCISES, 2), 403, "forbidden")
    assert (await publisher.publish(EXERCISES)).status_code == 201
