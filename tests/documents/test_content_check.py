"""`check` names file, line and reason; `load` refuses what was published and vanished."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from data.database import writing
from data.documents.files import SHIPPED_CONTENT, ContentFaults, read_content
from data.operations.load import Loaded, load_content
from tests.support.commands import invoke

Change = tuple[str, str, str]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_CONTENT, tmp_path / "content"))


def change(content: Path, file: str, old: str, new: str) -> None:
    path = content / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def load(engine: Engine, content: Path) -> Loaded:
    with writing(engine) as session:
        return load_content(session, content=read_content(content))


SECTION = "sections/off-label-use.md"


@pytest.mark.parametrize(
    ("edit", "file", "at", "reason"),
    [
        ((SECTION, "position: 2", "position: two"), SECTION, "position:", "valid integer"),
        ((SECTION, "position: 2", "position: 3"), "sections/off", "position:", "another section"),
        ((SECTION, "position: 2", "place: 2"), SECTION, "place:", "Extra inputs"),
        ((SECTION, "position: 2", "position: 2\nposition: 2"), SECTION, "position:", "twice"),
        ((SECTION, "notices: []", "notices: [none]"), SECTION, "notices:", "no notice `none`"),
        ((SECTION, "image: null", "image: {url: x, alt: y}"), SECTION, "image:", "http or https"),
        (
            (SECTION, "image: null", "former_slugs: [what-is-ketamine]"),
            SECTION,
            "former_slugs:",
            "is in use",
        ),
        ((SECTION, "\n---\n", "\n---\n<b>Bold</b> "), SECTION, "<b>", "raw HTML is not served"),
        ((SECTION, "\n---\n", "\n---\n![x](y) "), SECTION, "![x]", "an image is not served"),
        ((SECTION, "---\n", ""), SECTION, None, "front matter"),
        ((SECTION, "title: ", "title: ["), SECTION, "summary:", "expected"),
        (("faqs.yaml", "topic: clinic", "topic: other"), "faqs.yaml", "topic: other", "`topics`"),
        (
            ("faqs.yaml", "section: what-is-ketamine", "section: nowhere"),
            "faqs.yaml",
            "section: nowhere",
            "no section",
        ),
        (
            ("faqs.yaml", "slug: party-drug", "slug: battlefield-use"),
            "faqs.yaml",
            None,
            "another entry has this slug",
        ),
        (("faqs.yaml", "temporarily_closed:", "closed:"), "faqs.yaml", None, "answers"),
        (("status.yaml", "temporarily_closed:", "shut:"), "status.yaml", None, "shut"),
        (("form.yaml", "  name.required:", "  name.wanted:"), "form.yaml", None, "name.required"),
        (("clinic.yaml", "America/Los_Angeles", "Mars"), "clinic.yaml", "Mars", "IANA"),
        (("notices.yaml", "scope: site", "scope: all"), "notices.yaml", "scope: all", "'site'"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(
    content: Path, edit: Change, file: str, at: str | None, reason: str
) -> None:
    """Each kind of fault: its file, the line where it stands, and why."""
    change(content, *edit)
    checked = invoke("check", str(content), folder=content)
    assert checked.exit_code == 1
    told = [line for line in checked.stderr.splitlines() if line.startswith(file)]
    told = [line for line in told if reason in line]
    assert told, checked.stderr
    if at:
        name, line = told[0].split(":")[:2]
        assert at in (content / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.unlink(), "clinic.yaml:1: cannot be read"),
        (lambda file: file.write_bytes(b"name: \xff"), "clinic.yaml:1: is not UTF-8"),
        (lambda file: file.write_text("- a\n- b\n"), "clinic.yaml:1: must map names to values"),
    ],
)
def test_a_file_that_cannot_be_read(
    content: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    """A missing file, other bytes than UTF-8, another shape: told like every fault."""
    spoil(content / "clinic.yaml")
    assert invoke("check", str(content), folder=content).stderr == f"{reason}\n"


def test_the_shipped_content_has_no_fault(folder: Path) -> None:
    """`check` without a folder looks at what is shipped."""
    assert invoke("check", folder=folder).stdout == "No faults in 4 sections and 27 FAQs.\n"


async def test_a_change_is_published(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """A changed text gets a new version, an unchanged one stays, a notice may go."""
    change(content, SECTION, "title: ", "title: Now, ")
    change(content, "clinic.yaml", "name: null", "name: A Clinic")
    assert load(engine, content).changed == ["clinic", "section off-label-use"]
    changed = (await client.get("/v1/sections/off-label-use")).json()
    same = (await client.get("/v1/sections/what-is-ketamine")).json()
    assert changed["title"].startswith("Now, ")
    assert (changed["version"], same["version"]) == (2, 1)
    assert changed["updated_at"] > changed["published_at"] == same["updated_at"]
    assert (await client.get("/v1/clinic")).json()["name"] == "A Clinic"


async def test_a_text_is_renamed_and_taken_back(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """A former slug leads to the new one, and keeps doing so; a withdrawn text is gone."""
    (content / SECTION).rename(content / "sections/off-label.md")
    change(content, "sections/off-label.md", "image: null", "former_slugs: [off-label-use]")
    for old in ("section: off-label-use",) * 4:
        change(content, "faqs.yaml", old, "section: off-label")
    change(
        content, "faqs.yaml", "slug: party-drug", "slug: party-drug\n    withdrawn_on: 2026-01-01"
    )
    load(engine, content)
    moved = await client.get("/v1/sections/off-label-use")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/v1/sections/off-label")
    followed = await client.get(moved.headers["Location"])
    assert (followed.json()["slug"], followed.json()["version"]) == ("off-label", 2)
    assert (await client.get("/v1/faqs/party-drug")).status_code == 410
    assert (await client.get("/v1/faqs")).json()["meta"]["total"] == 26

    (content / "sections/off-label.md").rename(content / "sections/label.md")
    change(content, "sections/label.md", "[off-label-use]", "[off-label-use, off-label]")
    for old in ("section: off-label",) * 4:
        change(content, "faqs.yaml", f"{old}\n", "section: label\n")
    load(engine, content)
    for slug in ("off-label-use", "off-label"):
        answer = await client.get(f"/v1/sections/{slug}")
        assert answer.headers["Location"] == "/v1/sections/label"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("faqs.yaml", "slug: party-drug", "slug: a-party-drug"), "`party-drug` was published"),
        (("form.yaml", "Please keep", "Do keep"), "was published with other texts"),
    ],
)
async def test_what_was_published_does_not_vanish(
    engine: Engine, content: Path, edit: Change, reason: str
) -> None:
    """A text without its slug, or a form with new words under an old version, is refused whole."""
    change(content, *edit)
    with pytest.raises(ContentFaults, match=reason):
        load(engine, content)


async def test_a_new_form_makes_the_old_one_outdated(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """A higher version with other words is served from then on."""
    change(content, "form.yaml", "Please keep", "Do keep")
    change(content, "form.yaml", "version: 1", "version: 2")
    assert load(engine, content).added == ["form 2"]
    assert (await client.get("/v1/consultation-requests/form")).json()["version"] == 2
