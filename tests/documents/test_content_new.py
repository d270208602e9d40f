"""`content new` writes a complete folder, which has no faults and can be served."""

import os
import pty
from pathlib import Path

import pytest
from typer.testing import Result

from data.documents.files import read_content
from models.clinic import ClinicContent
from models.document import Kind
from tests.support.commands import invoke
from tests.support.content_folders import bytes_of
from tests.support.process import started

FACTS = {
    "--locality": "Sevilla",
    "--region": "Andalucía",
    "--country": "ES",
    "--time-zone": "Europe/Madrid",
}


def options(**changes: str | None) -> list[str]:
    facts = {**FACTS, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    return [part for name, value in facts.items() if value is not None for part in (name, value)]


def new(files: Path, *arguments: str) -> Result:
    return invoke("content", "new", str(files), *arguments, folder=files.parent)


def clinic_of(files: Path) -> ClinicContent:
    contents = read_content(files).contents
    found = next(content for key, content in contents.items() if key.kind is Kind.CLINIC)
    assert isinstance(found, ClinicContent)
    return found


def test_the_written_folder_has_no_faults(tmp_path: Path) -> None:
    """All kinds of documents are written; a fact that was not given is null."""
    files = tmp_path / "deep" / "content"
    written = invoke("content", "new", str(files), *options(phone="+34 955 55 01 00"),
                     folder=tmp_path)  # fmt: skip
    assert written.stdout == f"Written: {files}. Replace the examples, then run `content check`.\n"
    checked = invoke("content", "check", str(files), folder=tmp_path)
    assert (checked.exit_code, checked.stdout) == (0, "No faults in 1 sections and 1 FAQs.\n")
    clinic = clinic_of(files)
    assert (clinic.name, clinic.locality, clinic.country) == (None, "Sevilla", "ES")
    assert (clinic.contact.phone, clinic.contact.email) == ("+34 955 55 01 00", None)
    assert clinic.locales == ["en"]
    assert read_content(files).initial.state == "open"
    names = {"clinic.yaml", "status.yaml", "form.yaml", "notices.yaml"}
    texts = {"sections/about-us.md", "faqs/how-do-i-reach-the-clinic.md"}
    assert bytes_of(files).keys() == names | texts
    assert all(b"# " in text for text in bytes_of(files).values())


@pytest.mark.parametrize(
    ("locales", "word", "unserved"),
    [
        (["en-GB", "es"], "The clinic is open", []),
        (["es-ES"], "La clínica está abierta", []),
        (["es-419", "en"], "La clínica está abierta", []),
        (["fr-FR", "en", "pt-BR"], "The clinic is open", ["fr-FR", "pt-BR"]),
    ],
)
def test_the_language_of_the_words(
    tmp_path: Path, locales: list[str], word: str, unserved: list[str]
) -> None:
    """The words are Spanish or English; other languages are named by `new` and by `check`."""
    files = tmp_path / "content"
    arguments = [part for locale in locales for part in ("--locale", locale)]
    written = new(files, *options(), *arguments)
    assert word in (files / "status.yaml").read_text(encoding="utf-8")
    assert clinic_of(files).locales == locales
    checked = invoke("content", "check", str(files), folder=tmp_path)
    assert checked.exit_code == 0
    for shown in (written.stdout, checked.stdout):
        named = [line.split(":")[0] for line in shown.splitlines() if "not shipped" in line]
        assert named == unserved


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"country": "es"}, "country: String should match pattern"),
        ({"time_zone": "Mars"}, "time_zone: must be a name of the IANA time zone database"),
        ({"website": "clinic.example"}, "contact: website: must be an http or https address"),
        ({"locale": "english"}, "locales: 0: String should match pattern"),
        ({"country": None, "time_zone": None}, "give --country, --time-zone"),
        ({"region": ""}, "give --region"),
    ],
)
def test_a_wrong_fact(tmp_path: Path, changes: dict[str, str | None], reason: str) -> None:
    """A fact that is missing or wrong is one line, and nothing is written."""
    files = tmp_path / "content"
    refused = new(files, *options(**changes))
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"clinic-api: {reason}")
    assert len(refused.stderr.splitlines()) == 1
    assert not files.exists()


def test_a_folder_with_files(tmp_path: Path) -> None:
    """It is refused, and stays as it is. The folder of a new repository is accepted."""
    files = tmp_path / "content"
    (files / ".git").mkdir(parents=True)
    assert new(files, *options()).exit_code == 0
    before = bytes_of(files)
    refused = new(files, *options(locality="Cádiz"))
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"clinic-api: {files} has files: name a folder without any\n",
    )
    assert bytes_of(files) == before


def test_questions_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal the command asks for what was not given; an empty answer is null."""
    ours, terminal = pty.openpty()
    files = tmp_path / "content"
    arguments = ("content", "new", str(files), *options(region=None, time_zone=None))
    with started(*arguments, folder=tmp_path, stdin=terminal) as command:
        os.write(ours, "Andalucía\nEurope/Madrid\nClínica Muestra\n\n\n\nes-ES\n".encode())
        done = command.finish()
    os.close(ours)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert "State or province" in done.stderr
    clinic = clinic_of(files)
    assert (clinic.region, clinic.name) == ("Andalucía", "Clínica Muestra")
    assert (clinic.contact.phone, clinic.locales) == (None, ["es-ES"])
