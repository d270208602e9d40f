"""Backups, as the tests take and read them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.backup import BackupManifest
from tests.support.commands import invoke
from tests.support.databases import own_database


def back_up(folder: Path, *options: str, into: Path | None = None) -> Path:
    """Takes a backup by the command, and returns its file."""
    done = invoke("backup", str(into or folder / "backups"), *options, folder=folder)
    assert (done.exit_code, done.stderr) == (0, "")
    return Path(done.stdout.strip())


def manifest_of(file: Path) -> BackupManifest:
    return BackupManifest.model_validate_json(Path(f"{file}.json").read_text())


def refused(*arguments: str, folder: Path, **changes: str) -> str:
    """The one line with which a command says why it does nothing."""
    done = invoke(*arguments, folder=folder, **changes)
    assert (done.exit_code, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line.removeprefix("clinic-api: ")


@contextmanager
def empty_place(kind: str, request: pytest.FixtureRequest, *, keyring_of: Path) -> Iterator[Path]:
    """A folder without a database, with the keys of another one."""
    place: Path = request.getfixturevalue("tmp_path_factory").mktemp("place")
    shutil.copy(keyring_of / "keyring.json", place)
    with own_database(kind, request, place):
        yield place
