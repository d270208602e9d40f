"""Folders of content files, and the commands that exchange them with a database."""

import shutil
from pathlib import Path

from typer.testing import Result

from tests.support.clinic import CLINIC
from tests.support.commands import invoke

MARKS = ".revisions.json"


def folder_in(parent: Path, name: str = "content", *, source: Path = CLINIC) -> Path:
    """A copy of a folder of content files, by default those of the tests' clinic."""
    return Path(shutil.copytree(source, parent / name))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replaces the first occurrence of a text in a content file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by their paths."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def content(command: str, content_folder: Path, *options: str, folder: Path) -> Result:
    """Runs `content COMMAND` with a folder of files, on the database of the test's folder."""
    return invoke("content", command, str(content_folder), *options, folder=folder)


def exchanged(command: str, content_folder: Path, *options: str, folder: Path) -> str:
    """The same for a command that succeeds; returns what it prints."""
    done = content(command, content_folder, *options, folder=folder)
    assert done.exit_code == 0, done.output
    return done.stdout
