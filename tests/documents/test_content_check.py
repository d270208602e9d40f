"""`check` reports faults of content files; `load` publishes changes, and keeps published slugs."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from data.database import writing
from data.documents.files import ContentFaults, read_content
from data.operations.content_loading import Loaded, load_content
from tests.support.clinic import CLINIC
from tests.support.commands import invoke

Change = tuple[str, str, str]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content of the tests' clinic."""
    return Path(shutil.copytree(CLINIC, tmp_path / "content"))


def change(content: Path, file: str, old: str, new: str) -> None:
    """Replaces the first occurrence of a text in a content file."""
    path = content / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def load(engine: Engine, content: Path) -> Loaded:
    with writing(engine) as session:
        return load_content(session, content=read_content(content))


SECTION = "sections/recovery.md"
FORM = "/v1/consultation-requests/form"


@pytest.mark.parametrize(
    ("edit", "file", "at", "reason"),
    [
        ((SECTION, "position: 3", "position: two"), SECTION, "position:", "valid integer"),
        ((SECTION, "position: 3", "position: 2"), "sections/rec", "position:", "another section"),
        ((SECTION, "position: 3", "place: 2"), SECTION, "place:", "Extra inputs"),
        ((SECTION, "position: 3", "position: 3\nposition: 3"), SECTION, "position:", "twice"),
        ((SECTION, "notices: [", "notices: [none, "), SECTION, "notices:", "no notice `none`"),
        ((SECTION, "image: null", "image: {url: x, alt: y}"), SECTION, "image:", "http or https"),
        (
            (SECTION, "image: null", "former_slugs: [first-visit]"),
            SECTION,
            "former_slugs:",
            "is in use",
        ),
        ((SECTION, "\n---\n", "\n---\n<b>Bold</b> "), SECTION, "<b>", "raw HTML is not served"),
        ((SECTION, "\n---\n", "\n---\n![x](y) "), SECTION, "![x]", "an image is not served"),
        ((SECTION, "---\n", ""), SECTION, None, "front matter"),
        ((SECTION, "title: ", "title: ["), SECTION, "summary:", "expected"),
        (("faqs.yaml", "topic: visits", "topic: other"), "faqs.yaml", "topic: other", "`topics`"),
        (
            ("faqs.yaml", "section: exercises", "section: nowhere"),
            "faqs.yaml",
            "section: nowhere",
            "no section",
        ),
        (
            ("faqs.yaml", "slug: may-it-hurt", "slug: what-to-bring"),
            "faqs.yaml",
            None,
            "another entry has this slug",
        ),
        (("faqs.yaml", "temporarily_closed:", "closed:"), "faqs.yaml", None, "answers"),
        (("status.yaml", "temporarily_closed:", "shut:"), "status.yaml", None, "shut"),
        (("form.yaml", "  name.required:", "  name.wanted:"), "form.yaml", None, "name.required"),
        (("clinic.yaml", "America/Chicago", "Mars"), "clinic.yaml", "Mars", "IANA"),
        (("notices.yaml", "scope: site", "scope: all"), "notices.yaml", "scope: all", "'site'"),
    ],
)  # fmt: skip
def test_a_fault_is_reported_with_its_line(
    content: Path, edit: Change, file: str, at: str | None, reason: str
) -> None:
    """Each kind of fault is reported with its file, its line and the reason."""
    change(content, *edit)
    checked = invoke("check", str(content), folder=content)
    assert checked.exit_code == 1
    lines = [line for line in checked.stderr.splitlines() if line.startswith(file)]
    lines = [line for line in lines if reason in line]
    assert lines, checked.stderr
    if at:
        name, line = lines[0].split(":")[:2]
        assert at in (content / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.unlink(), "clinic.yaml:1: cannot be read"),
        (lambda file: file.write_bytes(b"name: \xff"), "clinic.yaml:1: is not UTF-8"),
        (lambda file: file.write_text("- a\n- b\n"), "clinic.yaml:1: must map names to values"),
    ],
)
def test_a_file_that_cannot_be_read(
    content: Path, damage: Callable[[Path], object], reason: str
) -> None:
    """A file that is missing, not UTF-8, or of another shape is reported."""
    damage(content / "clinic.yaml")
    assert invoke("check", str(content), folder=content).stderr == f"{reason}\n"


def test_the_clinic_of_the_tests_has_no_fault(tmp_path: Path) -> None:
    """`check` with a folder reads its files and counts the texts."""
    checked = invoke("check", str(CLINIC), folder=tmp_path)
    assert (checked.exit_code, checked.stdout) == (0, "No faults in 4 sections and 6 FAQs.\n")


async def test_a_change_is_published(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """A changed text gets a new version; an unchanged one keeps its version."""
    change(content, SECTION, "title: ", "title: Now, ")
    change(content, "clinic.yaml", "name: Sample Physiotherapy", "name: A Clinic")
    assert load(engine, content).changed == ["clinic", "section recovery"]
    changed = (await client.get("/v1/sections/recovery")).json()
    same = (await client.get("/v1/sections/exercises")).json()
    assert changed["title"].startswith("Now, ")
    assert (changed["version"], same["version"]) == (2, 1)
    assert changed["updated_at"] > changed["published_at"] == same["updated_at"]
    assert (await client.get("/v1/clinic")).json()["name"] == "A Clinic"


def rename(content: Path, old: str, new: str, *, former: str) -> None:
    """Renames a section, and the FAQs' references to it."""
    (content / f"sections/{old}.md").rename(content / f"sections/{new}.md")
    file = f"sections/{new}.md"
    text = re.sub("^(image: null|former_slugs: .*)$", f"former_slugs: [{former}]",
                  (content / file).read_text(encoding="utf-8"), flags=re.MULTILINE)  # fmt: skip
    (content / file).write_text(text, encoding="utf-8")
    change(content, "faqs.yaml", f"section: {old}\n", f"section: {new}\n")


async def test_a_text_is_renamed_and_withdrawn(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """Each former slug redirects to the newest one; a withdrawn text is 410."""
    rename(content, "recovery", "healing", former="recovery")
    change(
        content, "faqs.yaml", "slug: may-it-hurt", "slug: may-it-hurt\n    withdrawn_on: 2026-01-01"
    )
    load(engine, content)
    moved = await client.get("/v1/sections/recovery")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/v1/sections/healing")
    followed = await client.get(moved.headers["Location"])
    assert (followed.json()["slug"], followed.json()["version"]) == ("healing", 2)
    assert (await client.get("/v1/faqs/may-it-hurt")).status_code == 410
    assert (await client.get("/v1/faqs")).json()["meta"]["total"] == 5

    rename(content, "healing", "getting-well", former="recovery, healing")
    load(engine, content)
    for slug in ("recovery", "healing"):
        answer = await client.get(f"/v1/sections/{slug}")
        assert answer.headers["Location"] == "/v1/sections/getting-well"


async def test_published_texts_cannot_be_removed(engine: Engine, content: Path) -> None:
    """A load without a published slug is refused."""
    change(content, "faqs.yaml", "slug: may-it-hurt", "slug: may-it-ache")
    with pytest.raises(ContentFaults, match="`may-it-hurt` was published"):
        load(engine, content)


async def test_a_changed_form_gets_a_version(
    client: httpx.AsyncClient, engine: Engine, content: Path
) -> None:
    """A changed form is the next version, also if only the order of its fields differs."""
    change(content, "form.yaml", "Keep the receipt", "Save the receipt")
    assert load(engine, content).added == ["form 2"]
    assert load(engine, content).added == []
    assert (await client.get(FORM)).json()["version"] == 2
    text = (content / "form.yaml").read_text(encoding="utf-8")
    start, end = text.index("  email:\n"), text.index("  phone:\n")
    moved = text[:start] + text[end:].replace("\ntopics:", f"{text[start:end]}\ntopics:", 1)
    (content / "form.yaml").write_text(moved, encoding="utf-8")
    assert load(engine, content).added == ["form 3"]
    order = (await client.get(FORM)).json()["ui"]["order"]
    assert order[:2] == ["name", "phone"]
    assert order.index("email") == order.index("message") + 1
