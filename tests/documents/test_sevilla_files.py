"""The content files of the dental clinic in Sevilla, which another clinic might write like this."""

from pathlib import Path

from tests.support.commands import invoke
from tests.support.content_folders import edit, folder_in
from tests.support.forms import SEVILLA


def test_the_folder_has_no_fault(tmp_path: Path) -> None:
    """The folder has no fault, although the name `on` in it has no quotes."""
    assert "{on: 2026-12-25" in (SEVILLA / "clinic.yaml").read_text(encoding="utf-8")
    checked = invoke("content", "check", str(SEVILLA), folder=tmp_path)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout == "No faults in 4 sections and 8 FAQs.\n"


def test_a_fault_names_the_field_on(tmp_path: Path) -> None:
    """A wrong day is reported as a fault of the field `on`, which YAML 1.1 reads as true."""
    content = folder_in(tmp_path, "content", source=SEVILLA)
    edit(content, "clinic.yaml", "{on: 2026-12-25", "{on: tomorrow")
    checked = invoke("content", "check", str(content), folder=tmp_path)
    [fault] = checked.stderr.splitlines()
    assert fault.startswith("clinic.yaml:28: special_hours.2.on: ")
