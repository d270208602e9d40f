"""`content pull`, `diff` and `push` with `--server`: over HTTP, with a staff token."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.documents.files import read_content
from models.document import Publication, PublicationCallingOff
from models.values import utc_now
from tests.support.audit import open_with_audit
from tests.support.clinic import clinic_content
from tests.support.content_folders import MARKS, bytes_of, edit, folder_in
from tests.support.documents import let_publications_begin, publish, withdraw
from tests.support.process import Service, run, serving
from tests.support.staff import signed_in

FAQ = "faqs/may-it-hurt.md"
SECTION = "sections/recovery.md"
Content = Callable[..., CompletedProcess[str]]


# The calls over HTTP do not depend on the kind of the database.
pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def served(folder: Path) -> Iterator[Service]:
    with serving(folder, log=folder / "log") as service:
        yield service


@pytest.fixture
def staff_engine(folder: Path) -> Iterator[Engine]:
    engine = open_with_audit(folder)
    yield engine
    engine.dispose()


@pytest.fixture
def content(served: Service, staff_engine: Engine, folder: Path) -> Content:
    """Runs a content command on the served clinic. The token must never be printed."""
    header = signed_in(staff_engine, "content:write", "content:publish", "content:review")
    token = header["Authorization"].removeprefix("Bearer ")

    def command(name: str, files: Path, *options: str, server: str = "") -> CompletedProcess[str]:
        url = server or served.url
        arguments = ("content", name, str(files), "--server", url, *options)
        # The command must not use the database itself.
        changes = {"CLINIC_TOKEN": token, "CLINIC_DATABASE_URL": "sqlite:////nowhere/clinic.db"}
        done = run(*arguments, folder=folder, **changes)
        assert token not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


def lines(done: CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_files_are_pulled_and_pushed(
    content: Content, served: Service, staff_engine: Engine, folder: Path
) -> None:
    """Over HTTP as with the database: what is live is pulled, and all changes begin together."""
    files = folder / "pulled"
    assert lines(content("pull", files))[-1] == "14 files written, 0 unchanged."
    found, original = read_content(files), clinic_content()
    assert found.contents == original.contents
    assert found.initial == original.initial
    assert {k: f.facts for k, f in found.files.items()} == {
        k: f.facts for k, f in original.files.items()
    }
    before = bytes_of(files)
    for command in ("push", "pull", "diff"):
        assert content(command, files).returncode == 0
        assert bytes_of(files) == before

    edit(files, "sections/exercises.md", "position: 2", "position: 8")
    edit(files, "clinic.yaml", "slug: training", "slug: practice")
    for name in ("how-often-to-exercise", "may-it-hurt"):
        edit(files, f"faqs/{name}.md", "topic: training", "topic: practice")
    assert content("diff", files).returncode == 1
    refused = content("push", files)
    assert refused.returncode == 1
    assert "`topic`: is not one of the clinic's `faq_topics`" in refused.stderr
    assert "nothing was published, and the drafts stay saved" in refused.stderr
    # The publication of the section was planned already.
    with Session(staff_engine) as session:
        planned = session.exec(
            select(Publication.id).where(col(Publication.revision_id).is_not(None))
        )
        called_off = session.exec(select(PublicationCallingOff.publication_id)).all()
        assert list(called_off) == [max(number or 0 for number in planned)]
    edit(files, "sections/exercises.md", "position: 8", "position: 2")
    for name in ("how-often-to-exercise", "may-it-hurt"):
        edit(files, f"faqs/{name}.md", "topic: practice", "topic: training")
    edit(files, "clinic.yaml", "slug: practice", "slug: training")
    edit(files, "clinic.yaml", "faq_topics:", "faq_topics:\n  - {slug: new, name: New}")
    (files / "sections/recovery.md").rename(files / "sections/healing.md")
    edit(files, "sections/healing.md", "position: 3", "position: 3\nformer_slugs: [recovery, gone]")
    edit(files, "faqs/how-long-it-takes.md", "section: recovery", "section: healing")
    edit(files, "faqs/how-long-it-takes.md", "topic: healing", "topic: new")
    edit(files, FAQ, "position: 4", "position: 4\nwithdrawn_on: 2026-01-01")
    edit(files, "faqs/what-it-costs.md", "position: 6", "position: 6\nwithdrawn_on: 2999-01-01")
    assert lines(content("push", files, "--note", "Renamed."))[-1] == "Pushed."

    def get(path: str) -> httpx.Response:
        return httpx.get(f"{served.url}/v1{path}")

    assert get("/sections/recovery").headers["Location"] == "/v1/sections/healing"
    assert get("/sections/gone").headers["Location"] == "/v1/sections/healing"
    assert get("/faqs/how-long-it-takes").json()["topic"] == "new"
    assert get("/faqs/may-it-hurt").status_code == 410
    after = bytes_of(files)
    for command in ("push", "pull", "push", "diff"):
        assert content(command, files).returncode == 0
        assert bytes_of(files) == after
    edit(files, "faqs/what-it-costs.md", "\nwithdrawn_on: 2999-01-01", "")
    shown = lines(content("push", files))
    assert shown == ["faq what-it-costs: planned withdrawal called off", "Pushed."]
    let_publications_begin(staff_engine)
    assert get("/faqs/what-it-costs").status_code == 200


def test_what_staff_changed_is_not_replaced(
    content: Content, staff_engine: Engine, folder: Path
) -> None:
    """A newer revision, a withdrawal or a plan of the staff is named, and nothing is pushed."""
    files = folder_in(folder)
    assert content("pull", files).returncode == 0
    publish(staff_engine, "section", "recovery", title="By the staff")
    withdraw(staff_engine, "faq", "what-it-costs", reason="Old.")
    later = utc_now() + timedelta(days=1)
    publish(staff_engine, "faq", "can-i-come-now", question="Now?", from_at=later)
    before = bytes_of(files)
    refused = content("push", files)
    assert (refused.returncode, bytes_of(files)) == (1, before)
    assert refused.stderr == (
        "conflict: faq can-i-come-now: revision 2 is the newest, the folder knows 1\n"
        "conflict: faq what-it-costs: it was published or withdrawn after the folder was pulled\n"
        "conflict: section recovery: revision 2 is the newest, the folder knows 1\n"
        "clinic-api: nothing was pushed: run `content pull` first\n"
    )
    (files / MARKS).unlink()
    assert "section recovery: revision 2 was saved by staff" in content("push", files).stderr
    shown = lines(content("pull", files))
    assert "draft: faqs/can-i-come-now.md: revision 2 is not public" in shown
    assert "withdrawn_on: " in (files / "faqs/what-it-costs.md").read_text()
    before = bytes_of(files)
    assert lines(content("push", files)) == ["Nothing differs."]
    assert bytes_of(files) == before


def test_drafts_are_published_later(
    content: Content, served: Service, staff_engine: Engine, folder: Path
) -> None:
    """`--draft` publishes nothing, and the next push publishes the same revisions."""
    files = folder / "pulled"
    content("pull", files)
    edit(files, SECTION, "position: 3", "position: 9")
    edit(files, "form.yaml", "confirmation: We have", "confirmation: Now we have")
    assert lines(content("push", files, "--draft"))[-1] == "Drafts saved."
    assert httpx.get(f"{served.url}/v1/sections/recovery").json()["position"] == 3
    assert lines(content("push", files, "--minor"))[-1] == "Pushed."
    section = httpx.get(f"{served.url}/v1/sections/recovery").json()
    assert (section["position"], section["version"], section["updated_at"]) == (9, 2, None)
    form = httpx.get(f"{served.url}/v1/consultation-requests/form").json()
    assert form["confirmation"].startswith("Now we have")


def test_faults_of_the_call(content: Content, served: Service, folder: Path) -> None:
    """A wrong address or token is one line."""
    files = folder / "files"
    for url, reason in (
        ("http://127.0.0.1:1", "the server cannot be reached"),
        ("http://api.clinic.example", "--server must begin with https://"),
        ("https://a:secret@api.clinic.example", "--server must be an address such as"),
        (f"{served.url}/nowhere", "the server answered 404"),
    ):
        refused = content("pull", files, server=url)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"clinic-api: {reason}")
        assert len(refused.stderr.splitlines()) == 1
        assert "secret" not in refused.stderr
    arguments = ("content", "pull", str(files), "--server", served.url)
    missing = run(*arguments, folder=folder)
    assert missing.stderr.startswith("clinic-api: --server needs a token in CLINIC_TOKEN")
    wrong = run(*arguments, folder=folder, CLINIC_TOKEN="cst_wrong_wrong")
    assert wrong.stderr == "clinic-api: the token in CLINIC_TOKEN is not valid\n"
    assert not files.exists()
