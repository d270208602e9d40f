"""`content push` publishes what a folder says, all or nothing. It replaces nothing of the staff."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.documents.content_version import find_content_version
from models.audit import AuditEvent
from models.document import PublicationType, Revision
from models.values import utc_now
from tests.support.content_folders import MARKS, bytes_of, content, edit, exchanged, folder_in
from tests.support.documents import let_publications_begin, publish, withdraw

SECTION = "sections/recovery.md"
FAQ = "faqs/may-it-hurt.md"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with what the database contains, before any push or pull."""
    return folder_in(tmp_path)


def state_of(engine: Engine) -> tuple[int, list[tuple[int, int]], int]:
    """The content version, all revisions, and the number of audit events."""
    with Session(engine) as session:
        revisions = session.exec(select(Revision.document_id, Revision.number)).all()
        events = len(session.exec(select(AuditEvent.id)).all())
        return find_content_version(session), sorted(revisions), events


def refused(files: Path, *options: str, folder: Path, engine: Engine) -> str:
    """Asserts that a push is refused and changes nothing; returns what it prints on stderr."""
    before, file_bytes = state_of(engine), bytes_of(files)
    done = content("push", files, *options, folder=folder)
    assert (done.exit_code, state_of(engine), bytes_of(files)) == (1, before, file_bytes)
    assert "Traceback" not in done.output
    return done.stderr


async def test_a_change_is_published(
    client: httpx.AsyncClient, engine: Engine, folder: Path, files: Path
) -> None:
    """A changed text gets a new version and `updated_at`; an unchanged one keeps both."""
    edit(files, SECTION, "position: 3", "position: 9")
    edit(files, "clinic.yaml", "name: Sample Physiotherapy", "name: A Clinic")
    shown = exchanged("push", files, "--note", "A new name.", folder=folder)
    assert shown == "clinic: changed (name)\nsection recovery: changed (position)\nPushed.\n"
    changed = (await client.get("/v1/sections/recovery")).json()
    same = (await client.get("/v1/sections/exercises")).json()
    assert (changed["position"], changed["version"], same["version"]) == (9, 2, 1)
    assert changed["updated_at"] is not None
    assert same["updated_at"] is None
    assert (await client.get("/v1/clinic")).json()["name"] == "A Clinic"
    with Session(engine) as session:
        newest = session.exec(select(Revision).where(Revision.number == 2)).first()
        event = session.exec(select(AuditEvent).order_by(col(AuditEvent.id).desc())).first()
    assert newest
    assert (newest.origin, newest.note) == ("file", "A new name.")
    assert event
    assert (event.actor, event.action) == ("command-line", "content.pushed")
    assert event.details == {
        "added": 0,
        "changed": 2,
        "moved": 0,
        "change": "major",
        "drafts": False,
        "documents": "clinic, section recovery",
    }


async def test_a_minor_change_keeps_the_date(
    client: httpx.AsyncClient, folder: Path, files: Path
) -> None:
    """With `--minor` the public `updated_at` stays, and the review still counts."""
    edit(files, "sections/exercises.md", "twice a day", "two times a day")
    exchanged("push", files, "--minor", folder=folder)
    section = (await client.get("/v1/sections/exercises")).json()
    assert (section["version"], section["updated_at"]) == (2, None)
    assert section["review"]["last_reviewed_on"] == "2020-01-15"


async def test_a_second_push_changes_nothing(engine: Engine, folder: Path, files: Path) -> None:
    """A push of what is live makes no revision, no event, no content version; only the marks."""
    before = state_of(engine)
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    assert state_of(engine) == before
    documents = json.loads((files / MARKS).read_text())["documents"]
    assert documents["section/recovery/en-US"] == {"revision": 1, "live": 1}
    assert len(documents) == 14
    edit(files, SECTION, "position: 3", "position: 9")
    exchanged("push", files, folder=folder)
    after, file_bytes = state_of(engine), bytes_of(files)
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    assert (state_of(engine), bytes_of(files)) == (after, file_bytes)


async def test_drafts_are_saved_and_published_later(
    client: httpx.AsyncClient, folder: Path, files: Path
) -> None:
    """With `--draft` nothing public changes. A push without it publishes the saved revisions."""
    edit(files, SECTION, "position: 3", "position: 9\nwithdrawn_on: 2999-01-01")
    edit(files, FAQ, "position: 4", "position: 9\nformer_slugs: [will-it-ache]")
    shown = exchanged("push", files, "--draft", folder=folder)
    assert shown.endswith("faq may-it-hurt: changed (position)\nDrafts saved.\n")
    assert exchanged("push", files, "--draft", folder=folder) == "Nothing differs.\n"
    section = (await client.get("/v1/sections/recovery")).json()
    assert (section["position"], section["version"]) == (3, 1)
    assert (await client.get("/v1/faqs/will-it-ache")).status_code == 404
    exchanged("push", files, folder=folder)
    section = (await client.get("/v1/sections/recovery")).json()
    assert (section["position"], section["version"]) == (9, 2)
    assert (await client.get("/v1/faqs/will-it-ache")).status_code == 308


async def test_a_text_is_renamed(client: httpx.AsyncClient, folder: Path, files: Path) -> None:
    """Each former slug of a chain of renames redirects to the newest slug."""

    def rename(old: str, new: str, former: str) -> None:
        (files / f"sections/{old}.md").rename(files / f"sections/{new}.md")
        text = (files / f"sections/{new}.md").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("former_slugs")]
        lines.insert(1, f"former_slugs: [{former}]")
        (files / f"sections/{new}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        edit(files, "faqs/how-long-it-takes.md", f"section: {old}\n", f"section: {new}\n")

    rename("recovery", "healing", "recovery")
    shown = exchanged("push", files, folder=folder)
    assert "section healing: added\n" in shown
    assert "section recovery: moves to `healing`\n" in shown
    rename("healing", "getting-well", "healing, recovery")
    shown = exchanged("push", files, folder=folder)
    assert "section healing: moves to `getting-well`\n" in shown
    assert "section recovery" not in shown
    for slug in ("recovery", "healing"):
        answer = await client.get(f"/v1/sections/{slug}")
        assert answer.status_code == 308
        assert answer.headers["Location"] == "/v1/sections/getting-well"
    rename("getting-well", "recovery", "getting-well, healing")
    exchanged("push", files, folder=folder)
    assert (await client.get("/v1/sections/recovery")).status_code == 200
    for slug in ("getting-well", "healing"):
        answer = await client.get(f"/v1/sections/{slug}")
        assert answer.headers["Location"] == "/v1/sections/recovery"
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"


async def test_a_text_is_withdrawn_and_comes_back(
    client: httpx.AsyncClient, engine: Engine, folder: Path, files: Path
) -> None:
    """`withdrawn_on` withdraws a text now or plans it; without the line the text comes back."""
    edit(files, FAQ, "position: 4", "position: 4\nwithdrawn_on: 2026-01-01")
    assert exchanged("push", files, folder=folder) == (
        "faq may-it-hurt: withdrawn on 2026-01-01\nPushed.\n"
    )
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 410
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    tomorrow = (utc_now() + timedelta(days=2)).date()
    edit(files, FAQ, "withdrawn_on: 2026-01-01", f"withdrawn_on: {tomorrow}")
    exchanged("push", files, folder=folder)
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 200
    edit(files, FAQ, f"withdrawn_on: {tomorrow}", "withdrawn_on: 2999-01-01")
    shown = exchanged("push", files, folder=folder)
    assert "planned withdrawal called off, withdrawn on 2999-01-01" in shown
    edit(files, FAQ, "withdrawn_on: 2999-01-01\n", "")
    assert "planned withdrawal called off\n" in exchanged("push", files, folder=folder)
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    let_publications_begin(engine)
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 200


async def test_a_new_text_that_is_withdrawn(
    client: httpx.AsyncClient, folder: Path, files: Path
) -> None:
    """A text that the database does not have yet, with a past `withdrawn_on`, is 410 at once."""
    text = (files / FAQ).read_text(encoding="utf-8")
    (files / "faqs/new.md").write_text(
        text.replace("position: 4", "position: 8\nwithdrawn_on: 2026-01-01"), encoding="utf-8"
    )
    exchanged("push", files, folder=folder)
    assert (await client.get("/v1/faqs/new")).status_code == 410
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    edit(files, "faqs/new.md", "position: 8", "position: 9")
    assert exchanged("push", files, folder=folder).startswith("faq new: changed (position)\n")
    assert (await client.get("/v1/faqs/new")).status_code == 410
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"


async def test_a_review_is_recorded_once(
    client: httpx.AsyncClient, folder: Path, files: Path
) -> None:
    """A review counts for the text that was reviewed, until a major change of that text."""
    file = "sections/exercises.md"

    async def review() -> tuple[str, str | None]:
        found = (await client.get("/v1/sections/exercises")).json()["review"]
        return found["status"], found["last_reviewed_on"]

    edit(files, file, "2020-01-15, next_review_due_on: 2021-01-15",
         "2026-02-03, next_review_due_on: 2998-01-01")  # fmt: skip
    shown = exchanged("push", files, folder=folder)
    assert shown == "section exercises: reviewed on 2026-02-03\nPushed.\n"
    assert await review() == ("current", "2026-02-03")
    edit(files, file, "position: 2", "position: 8")
    shown = exchanged("push", files, folder=folder)
    assert "note: section exercises: its review of 2026-02-03 does not count" in shown
    assert await review() == ("unknown", None)
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    edit(files, file, "2026-02-03", "2026-02-04")
    exchanged("push", files, folder=folder)
    assert await review() == ("current", "2026-02-04")


@pytest.mark.parametrize("is_pulled", [True, False])
async def test_what_staff_saved_is_not_replaced(
    client: httpx.AsyncClient, engine: Engine, folder: Path, files: Path, is_pulled: bool
) -> None:
    """With or without `.revisions.json`, a push never replaces a newer revision of the staff."""
    if is_pulled:
        exchanged("pull", files, folder=folder)
    publish(engine, "section", "recovery", title="By the staff")
    edit(files, SECTION, "position: 3", "position: 9")
    edit(files, FAQ, "position: 4", "position: 9")
    reason = refused(files, folder=folder, engine=engine)
    assert "conflict: section recovery: revision 2 " in reason
    assert "nothing was pushed: run `content pull` first" in reason
    exchanged("pull", files, folder=folder)
    assert "title: By the staff" in (files / SECTION).read_text(encoding="utf-8")
    edit(files, FAQ, "position: 4", "position: 9")
    exchanged("push", files, folder=folder)
    assert (await client.get("/v1/sections/recovery")).json()["title"] == "By the staff"


async def test_a_known_draft_is_replaced(engine: Engine, folder: Path, files: Path) -> None:
    """After a pull has named a draft of the staff, a push may publish another text."""
    publish(engine, "section", "recovery", title="Draft", from_at=utc_now() + timedelta(days=9))
    shown = exchanged("pull", files, folder=folder)
    assert "draft: sections/recovery.md: revision 2 is not public\n" in shown
    edit(files, SECTION, "position: 3", "position: 9")
    shown = exchanged("push", files, folder=folder)
    assert "note: section recovery: 1 planned publications or withdrawals stand\n" in shown


@pytest.mark.parametrize("is_pulled", [True, False])
@pytest.mark.parametrize("how", [PublicationType.RECALLED, PublicationType.MOVED])
async def test_a_text_that_staff_withdrew_stays_withdrawn(
    engine: Engine, folder: Path, files: Path, is_pulled: bool, how: PublicationType
) -> None:
    """A push of the old file does not bring back what staff withdrew or moved."""
    exchanged("pull", files, folder=folder)
    if not is_pulled:
        (files / MARKS).unlink()
    moved_to = "what-to-bring" if how is PublicationType.MOVED else None
    reason = None if moved_to else "An error."
    withdraw(engine, "faq", "may-it-hurt", how=how, reason=reason, moved_to=moved_to)
    conflict = refused(files, folder=folder, engine=engine)
    assert "conflict: faq may-it-hurt: it was published or withdrawn" in conflict


async def test_a_withdrawal_that_staff_planned_stands(
    client: httpx.AsyncClient, engine: Engine, folder: Path, files: Path
) -> None:
    """A push neither calls off nor replaces a withdrawal that the folder does not know."""
    exchanged("pull", files, folder=folder)
    later = utc_now() + timedelta(days=5)
    withdraw(engine, "faq", "may-it-hurt", reason="Old.", from_at=later)
    assert exchanged("push", files, folder=folder) == "Nothing differs.\n"
    edit(files, FAQ, "position: 4", "position: 4\nwithdrawn_on: 2999-01-01")
    refused(files, folder=folder, engine=engine)
    (files / MARKS).unlink()
    refused(files, folder=folder, engine=engine)
    let_publications_begin(engine)
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 410


async def test_marks_of_another_database(engine: Engine, folder: Path, files: Path) -> None:
    """Numbers of another database permit nothing, and a damaged file is reported."""
    publish(engine, "section", "recovery", title="By the staff")
    exchanged("pull", files, folder=folder)
    edit(files, SECTION, "position: 3", "position: 9")
    marks = json.loads((files / MARKS).read_text())
    (files / MARKS).write_text(json.dumps({**marks, "from": "https://other.example"}))
    assert "was saved by staff" in refused(files, folder=folder, engine=engine)
    (files / MARKS).write_text("{")
    assert refused(files, folder=folder, engine=engine) == (
        "clinic-api: .revisions.json:1: cannot be read: delete it, and run `content pull`\n"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("form.yaml", "text: The practice may", "text: The clinic may", "form.yaml:87: the text "),
        ("clinic.yaml", "locales: [en-US]", "locales: [de]", "clinic.yaml:7: locales: "),
        ("notices.yaml", "slug: healing-times", "slug: times", "faqs/how-long-it-takes.md:"),
        (SECTION, "title:", "titel:", f"{SECTION}:"),
        (FAQ, "section: exercises", "section: nowhere", f"{FAQ}:"),
    ],
)
async def test_a_fault_forbids_the_push(
    engine: Engine, folder: Path, files: Path, file: str, old: str, new: str, line: str
) -> None:
    """A folder with a fault changes nothing; the fault is reported with its file and line."""
    edit(files, "clinic.yaml", "name: Sample Physiotherapy", "name: A Clinic")
    edit(files, file, old, new)
    assert refused(files, folder=folder, engine=engine).startswith(line)


async def test_a_text_that_the_folder_lacks(
    client: httpx.AsyncClient, engine: Engine, folder: Path, files: Path
) -> None:
    """It is named and left. A push that would break it is refused."""
    (files / FAQ).unlink()
    assert exchanged("push", files, folder=folder) == (
        "left: faq may-it-hurt is not in the folder\nNothing differs.\n"
    )
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 200
    edit(files, "notices.yaml", "slug: stop-if-it-hurts", "slug: stop")
    for name in ("faqs/how-often-to-exercise.md", "sections/recovery.md", "sections/exercises.md"):
        edit(files, name, "stop-if-it-hurts", "stop")
    reason = refused(files, folder=folder, engine=engine)
    assert reason == (
        "faq may-it-hurt (not in the folder):1: notices.0: the notice does not exist\n"
    )


async def test_a_consent_with_a_higher_version(
    client: httpx.AsyncClient, folder: Path, files: Path
) -> None:
    """A consent with another text and a higher version is published."""
    edit(files, "form.yaml", "text: The practice may", "text: The clinic may")
    edit(files, "form.yaml", "version: 1", "version: 2")
    exchanged("push", files, folder=folder)
    form = (await client.get("/v1/consultation-requests/form")).json()
    assert (form["version"], form["consents"][0]["version"]) == (2, 2)
