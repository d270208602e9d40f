"""Backups of SQLite: each one is a database file."""

import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, make_url

from data import sqlite
from data.files import create_private, sync
from data.operations.backup_contents import BackupFault, count_contents
from models.backup import BackupContents

SUFFIX = ".db"
# How long a copy waits for a moment without a writer.
_WAIT_SECONDS = 60
_PAUSE_SECONDS = 0.001
# Suffixes of the files that SQLite keeps for an open database.
_SUFFIXES = ("-journal", "-wal", "-shm")


def write_copy(engine: Engine, file: Path) -> BackupContents:
    """Copies the database into an empty file while others read and write; returns its contents."""
    _require_space(Path(str(engine.url.database)), file.parent)
    try:
        with closing(_connect(str(engine.url.database), mode="rw")) as connection:
            _vacuum_into(connection, file)
    except sqlite3.Error as error:
        reason = getattr(error, "sqlite_errorname", type(error).__name__)
        raise BackupFault(f"no copy can be written to {file.parent} ({reason})") from None
    # Counting in the copy, because counting in the original would make writers wait.
    copy = sqlite.create(URL.create("sqlite", database=str(file)))
    with copy.connect() as connection_to_copy:
        contents = count_contents(connection_to_copy)
    copy.dispose()
    return contents


def read_rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row with the name of its table. Raises `BackupFault` if the file is damaged."""
    try:
        with closing(_connect(str(file), mode="ro")) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFault(f"{file} is damaged")
            names = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for (name,) in names:
                rows = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608 (its own name)
                columns = [description[0] for description in rows.description]
                for row in rows:
                    yield name, dict(zip(columns, row, strict=True))
    except sqlite3.Error:
        raise BackupFault(f"{file} is not a complete SQLite database") from None


def restore(file: Path, *, url: str) -> None:
    """Copies the backup to the path in `url`, which must have no database. Raises `BackupFault`."""
    target = Path(str(make_url(url).database))
    _require_no_database(target)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new_file = target.with_name(f".{target.name}.restoring")
    new_file.unlink(missing_ok=True)
    try:
        create_private(new_file)
        shutil.copyfile(file, new_file)
        sync(new_file)
        new_file.replace(target)
        sync(target.parent)
    finally:
        new_file.unlink(missing_ok=True)


def _require_no_database(target: Path) -> None:
    if target.exists() and target.stat().st_size:
        raise BackupFault(f"there is already a database at {target}: a restore needs an empty one")
    # SQLite would apply an old journal to the restored database, and damage it.
    for suffix in _SUFFIXES:
        remnant = target.with_name(target.name + suffix)
        if remnant.exists():
            raise BackupFault(f"{remnant} belongs to an earlier database: move it away first")


def _vacuum_into(connection: sqlite3.Connection, file: Path) -> None:
    # SQLite's own wait checks every 0.1 s, and misses the short gaps between many writers.
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("VACUUM INTO ?", (str(file),))
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)


def _require_space(database: Path, folder: Path) -> None:
    # The service may write to the same disk, which must not become full.
    needed, free = database.stat().st_size, shutil.disk_usage(folder).free
    if free < needed:
        raise BackupFault(f"{folder} has {free:,} bytes free, and a backup may need {needed:,}")


def _connect(path: str, *, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(path)}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
