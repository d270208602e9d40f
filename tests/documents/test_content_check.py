"""`content check` reports the faults of content files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

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


SECTION = "sections/recovery.md"
FAQ = "faqs/may-it-hurt.md"


@pytest.mark.parametrize(
    ("edit", "file", "at", "reason"),
    [
        ((SECTION, "position: 3", "position: two"), SECTION, "position:", "valid integer"),
        ((SECTION, "position: 3", "place: 2"), SECTION, "place:", "Extra inputs"),
        ((SECTION, "position: 3", "position: 3\nposition: 3"), SECTION, "position:", "twice"),
        ((SECTION, "notices: [", "notices: [none, "), SECTION, "notices:", "does not exist"),
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
        ((FAQ, "topic: training", "topic: other"), FAQ, "topic: other", "`faq_topics`"),
        ((FAQ, "section: exercises", "section: nowhere"), FAQ, "section:", "no section"),
        (("faqs/can-i-come-now.md", "temporarily_closed:", "closed:"), "faqs/can", None, "answer"),
        ((FAQ, "\n---\n", "\n---\nOne.\n\n<i>Two</i> "), FAQ, "<i>Two", "raw HTML"),
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
    checked = invoke("content", "check", str(content), folder=content)
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
    assert invoke("content", "check", str(content), folder=content).stderr == f"{reason}\n"


def test_the_clinic_of_the_tests_has_no_fault(tmp_path: Path) -> None:
    """`check` with a folder reads its files and counts the texts."""
    checked = invoke("content", "check", str(CLINIC), folder=tmp_path)
    assert (checked.exit_code, checked.stdout) == (0, "No faults in 4 sections and 6 FAQs.\n")
