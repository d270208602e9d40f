"""`content pull` writes what is live. With `push`, in either order, nothing changes twice."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from data.documents.files import SHIPPED_CONTENT, read_content
from models.document import PublicationType
from models.values import utc_now
from tests.documents.test_content_push import state_of
from tests.support.apps import set_status
from tests.support.clinic import clinic_content
from tests.support.commands import invoke
from tests.support.content_folders import MARKS, bytes_of, content, edit, exchanged, folder_in
from tests.support.documents import publish, withdraw

FAQ = "faqs/may-it-hurt.md"


def pulled(folder: Path, name: str = "pulled") -> Path:
    """A new folder with what is live."""
    exchanged("pull", folder / name, folder=folder)
    return folder / name


def assert_stable(files: Path, *, folder: Path, engine: Engine) -> None:
    """Asserts that push and pull of a folder change neither the database nor a file."""
    before, file_bytes = state_of(engine), bytes_of(files)
    for command in ("push", "pull", "push", "diff"):
        exchanged(command, files, folder=folder)
        assert (state_of(engine), bytes_of(files)) == (before, file_bytes), command


async def test_an_empty_folder_gets_what_is_live(engine: Engine, folder: Path) -> None:
    """The pulled files say the same as the files that filled the database."""
    files = pulled(folder)
    found, original = read_content(files), clinic_content()
    assert found.contents == original.contents
    assert found.initial == original.initial
    assert {key: file.facts for key, file in found.files.items()} == {
        key: file.facts for key, file in original.files.items()
    }
    assert_stable(files, folder=folder, engine=engine)


@pytest.mark.shipped
async def test_the_shipped_clinic_is_pulled(engine: Engine, folder: Path) -> None:
    """The shipped clinic's documents are the same in the pulled files."""
    files = pulled(folder)
    assert read_content(files).contents == read_content(SHIPPED_CONTENT).contents
    assert_stable(files, folder=folder, engine=engine)


async def test_comments_and_layout_survive(engine: Engine, folder: Path) -> None:
    """A file that already says the same is not touched, whatever its layout."""
    files = folder_in(folder)
    before = bytes_of(files)
    assert exchanged("pull", files, folder=folder) == "0 files written, 14 unchanged.\n"
    after = bytes_of(files)
    assert after.pop(MARKS)
    assert after == before
    assert_stable(files, folder=folder, engine=engine)


async def test_after_many_changes_nothing_differs(engine: Engine, folder: Path) -> None:
    """Push and pull are stable after renames, withdrawals, plans, and changes by the staff."""
    files = folder_in(folder)
    edit(files, FAQ, "position: 4", "position: 4\nwithdrawn_on: 2026-01-01")
    edit(files, "faqs/what-it-costs.md", "position: 6", "position: 6\nwithdrawn_on: 2999-01-01")
    edit(files, "faqs/what-to-bring.md", "position: 2", "position: 2\nformer_slugs: [bring, take]")
    (files / "sections/recovery.md").rename(files / "sections/healing.md")
    edit(files, "sections/healing.md", "image: null", "former_slugs: [recovery]")
    edit(files, "faqs/how-long-it-takes.md", "section: recovery", "section: healing")
    exchanged("push", files, folder=folder)
    assert_stable(files, folder=folder, engine=engine)
    publish(engine, "section", "healing", title="By the staff")
    withdraw(engine, "faq", "what-to-bring", how=PublicationType.RECALLED, reason="An error.")
    withdraw(engine, "section", "first-visit", how=PublicationType.MOVED, moved_to="healing")
    publish(engine, "faq", "can-i-come-now", question="Now?", from_at=utc_now() + timedelta(days=1))
    set_status(engine, state="temporarily_closed", reopens_on="2998-01-01")
    shown = exchanged("pull", files, folder=folder)
    assert "left: sections/first-visit.md: moved to `healing`, delete this file\n" in shown
    assert "draft: faqs/can-i-come-now.md: revision 2 is not public\n" in shown
    (files / "sections/first-visit.md").unlink()
    assert_stable(files, folder=folder, engine=engine)
    found = read_content(files)
    facts = {key.slug: file.facts for key, file in found.files.items()}
    assert facts["healing"].former_slugs == ["before-your-visit", "first-visit", "recovery"]
    assert facts["what-to-bring"].withdrawn_on is not None
    assert str(facts["may-it-hurt"].withdrawn_on) == "2026-01-01"
    assert str(facts["what-it-costs"].withdrawn_on) == "2999-01-01"
    assert found.initial.state == "temporarily_closed"
    assert str(found.initial.reopens_on) == "2998-01-01"
    assert_stable(files, folder=folder, engine=engine)
    copy = pulled(folder)
    assert read_content(copy).contents == found.contents
    assert_stable(copy, folder=folder, engine=engine)


async def test_files_that_the_database_does_not_have(engine: Engine, folder: Path) -> None:
    """They are named and left, valid or not; a draft is named too."""
    files = folder_in(folder)
    text = (files / FAQ).read_text(encoding="utf-8")
    (files / "faqs/new.md").write_text(text, encoding="utf-8")
    (files / "faqs/broken.md").write_text("no front matter", encoding="utf-8")
    (files / "sections/other.txt").write_text("a note", encoding="utf-8")
    before = bytes_of(files)
    assert exchanged("pull", files, folder=folder) == (
        "left: faqs/broken.md:1: must begin with front matter between two lines ---\n"
        "left: faqs/new.md: there is no such document, `content push` adds it\n"
        "0 files written, 14 unchanged.\n"
    )
    after = bytes_of(files)
    assert after.pop(MARKS)
    assert after == before
    (files / "faqs/broken.md").unlink()
    exchanged("push", files, "--draft", folder=folder)
    assert exchanged("pull", files, folder=folder) == (
        "left: faqs/new.md: nothing of it is public\n"
        "draft: faqs/new.md: revision 1 is not public\n"
        "0 files written, 14 unchanged.\n"
    )
    exchanged("push", files, folder=folder)
    assert_stable(files, folder=folder, engine=engine)


async def test_a_damaged_file_is_written_again(engine: Engine, folder: Path) -> None:
    """A file that cannot be read is replaced by what is live."""
    files = folder_in(folder)
    (files / FAQ).write_text("no front matter", encoding="utf-8")
    assert exchanged("pull", files, folder=folder) == (
        f"written: {FAQ}\n1 files written, 13 unchanged.\n"
    )
    assert_stable(files, folder=folder, engine=engine)


async def test_diff_shows_what_a_push_would_change(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """`diff` exits with 0 if nothing differs and with 1 otherwise, and changes nothing."""
    files = folder_in(folder)
    assert exchanged("diff", files, folder=folder) == "Nothing differs.\n"
    edit(files, FAQ, "position: 4", "position: 9\nwithdrawn_on: 2999-01-01")
    edit(files, "sections/recovery.md", "title: 'How", "title: 'Why")
    (files / "faqs/what-it-costs.md").rename(files / "faqs/prices.md")
    edit(files, "faqs/prices.md", "position: 6", "position: 6\nformer_slugs: [what-it-costs]")
    (files / "sections/appointments.md").unlink()
    publish(engine, "section", "exercises", title="By the staff")
    before, file_bytes = state_of(engine), bytes_of(files)
    done = content("diff", files, folder=folder)
    assert done.exit_code == 1
    assert done.stdout == (
        "section exercises: changed (title)\n"
        "section recovery: changed (title)\n"
        "faq may-it-hurt: changed (position), withdrawn on 2999-01-01\n"
        "faq prices: added\n"
        "faq what-it-costs: moves to `prices`\n"
        "left: section appointments is not in the folder\n"
    )
    assert done.stderr == (
        "conflict: section exercises: revision 2 was saved by staff, and the folder does not "
        "know it\n"
    )
    assert (state_of(engine), bytes_of(files)) == (before, file_bytes)


async def test_faults_are_one_line(engine: Engine, folder: Path) -> None:
    """A folder that cannot be read or written is one line and exit 1."""
    for command in ("push", "diff"):
        missing = content(command, folder / "nowhere", folder=folder)
        assert missing.exit_code == 1
        assert "clinic.yaml:1: cannot be read" in missing.stderr
    (folder / "file").write_text("a file")
    refused = content("pull", folder / "file" / "content", folder=folder)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "clinic-api: a file cannot be read or written: Not a directory\n",
    )
    files = pulled(folder)
    assert json.loads((files / MARKS).read_text())["from"].endswith(
        "clinic.db" if engine.dialect.name == "sqlite" else str(engine.url.database)
    )


@pytest.mark.database("sqlite")
def test_without_a_database(folder: Path) -> None:
    """Without a database each command is one line and exit 1, and creates nothing."""
    files = folder_in(folder)
    for command in ("pull", "diff", "push"):
        url = f"sqlite:///{folder}/nowhere/clinic.db"
        done = invoke("content", command, str(files), folder=folder, CLINIC_DATABASE_URL=url)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("clinic-api: there is no database at ")
        assert len(done.stderr.splitlines()) == 1
    assert not (files / MARKS).exists()
    assert not (folder / "nowhere").exists()
