"""Writes backups: dated files, each with a manifest. The oldest backups are deleted."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine

from data.files import create_private, sync
from data.operations import postgresql_backup, sqlite_backup
from data.operations.backup_contents import BackupFault
from models.backup import BackupManifest
from models.service import VERSION
from models.values import utc_now

_PREFIX = "clinic-"
_PARTIAL = ".partial"
_KINDS: dict[str, ModuleType] = {"sqlite": sqlite_backup, "postgresql": postgresql_backup}


def record_backup(engine: Engine, *, folder: Path, keep: int) -> Path:
    """Writes a backup into a folder, and keeps the newest `keep` there. Raises `BackupFault`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder):
            _remove_remnants(folder)
            try:
                file = _write(engine, folder)
            except BaseException:
                _remove_remnants(folder)
                raise
            _rotate(folder, newest=file, keep=keep)
    except OSError as error:
        raise BackupFault(f"no backup can be written to {folder}: {error.strerror}") from None
    return file


def list_backups(folder: Path) -> list[Path]:
    """The backups in a folder, the newest first. A file without a manifest is not a backup."""
    files = (manifest.with_suffix("") for manifest in folder.glob(f"{_PREFIX}*.json"))
    return sorted((file for file in files if file.exists()), reverse=True)


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def read_manifest(file: Path) -> BackupManifest:
    """The manifest of a backup, which is not compared with the file; raises `BackupFault`."""
    try:
        return BackupManifest.model_validate_json(manifest_of(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise BackupFault(f"{error.filename} cannot be read: {error.strerror}") from None
    except ValueError:
        raise BackupFault(f"{manifest_of(file)} is no manifest of a backup") from None


def fingerprint(file: Path) -> dict[str, int | str]:
    """The size in bytes and the SHA-256 of a file, under the names that its manifest uses."""
    with file.open("rb") as content:
        return {
            "size": file.stat().st_size,
            "sha256": hashlib.file_digest(content, "sha256").hexdigest(),
        }


def kind_named(name: str) -> ModuleType:
    """The module that writes, reads and restores the backups of a kind of database."""
    return _KINDS[name]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks the folder for one process. The system releases the lock of a killed process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupFault(f"another backup is being written to {folder}") from None
    finally:
        os.close(descriptor)


def _write(engine: Engine, folder: Path) -> Path:
    kind = kind_named(engine.dialect.name)
    taken_at = utc_now()
    file = folder / f"{_PREFIX}{taken_at:%Y%m%dT%H%M%S.%fZ}{kind.SUFFIX}"
    copy, manifest_copy = _partial(file), _partial(manifest_of(file))
    contents = kind.write_copy(engine, copy)
    sync(copy)
    manifest = BackupManifest(
        **contents.model_dump(),
        **fingerprint(copy),
        kind=engine.dialect.name,
        taken_at=taken_at,
        service_version=VERSION,
    )
    manifest_copy.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    sync(manifest_copy)
    # The manifest first, so that a backup under its final name always has its manifest.
    manifest_copy.replace(manifest_of(file))
    copy.replace(file)
    sync(folder)
    return file


def _partial(file: Path) -> Path:
    """Creates an empty file that only its owner can read, to be renamed when it is complete."""
    partial = file.with_name(f".{file.name}{_PARTIAL}")
    create_private(partial)
    return partial


def _remove_remnants(folder: Path) -> None:
    """Removes the files of a backup that failed or was killed."""
    for remnant in folder.glob(f".{_PREFIX}*{_PARTIAL}*"):
        remnant.unlink()
    for manifest in folder.glob(f"{_PREFIX}*.json"):
        if not manifest.with_suffix("").exists():
            manifest.unlink()


def _rotate(folder: Path, *, newest: Path, keep: int) -> None:
    # If the clock was set back, the new backup sorts behind older ones, but it must stay.
    older = [file for file in list_backups(folder) if file != newest]
    for file in older[keep - 1 :]:
        file.unlink()
        manifest_of(file).unlink()
