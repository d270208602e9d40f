"""Helpers that take and read backups."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.backup import BackupManifest
from tests.support.commands import invoke
from tests.support.databases import own_database


def back_up(folder: Path, *options: str, into: Path | None = None) -> Path:
    """Runs `backup` and returns the path of the backup file."""
    done = invoke("backup", str(into or folder / "backups"), *options, folder=folder)
    assert (done.exit_code, done.stderr) == (0, "")
    return Path(done.stdout.strip())


def manifest_of(file: Path) -> BackupManifest:
    return BackupManifest.model_validate_json(Path(f"{file}.json").read_text())


def refused(*arguments: str, folder: Path, **changes: str) -> str:
    """Runs a command that must fail, and returns its one-line error without the prefix."""
    done = invoke(*arguments, folder=folder, **changes)
    assert (done.exit_code, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line.removeprefix("clinic-api: ")


@contextmanager
def empty_folder_with_keys(
    kind: str, request: pytest.FixtureRequest, *, keyring_of: Path
) -> Iterator[Path]:
    """A new folder without a database, with a copy of the keyring of `keyring_of`."""
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("empty")
    shutil.copy(keyring_of / "keyring.json", folder)
    with own_database(kind, request, folder):
        yield folder
