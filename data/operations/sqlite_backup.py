"""Backups of SQLite: a file that is a database."""

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
# For as long as this the copy waits for a moment in which nobody writes.
_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.001
_BESIDE = ("-journal", "-wal", "-shm")


def write_copy(engine: Engine, file: Path) -> BackupContents:
    """A whole copy in an empty file, while others read and write."""
    _require_space(Path(str(engine.url.database)), file.parent)
    try:
        with closing(_connect(str(engine.url.database), mode="rw")) as connection:
            _vacuum_into(connection, file)
    except sqlite3.Error as error:
        reason = getattr(error, "sqlite_errorname", type(error).__name__)
        raise BackupFault(f"no copy can be written to {file.parent} ({reason})") from None
    # The copy is nobody else's, so that counting keeps no writer waiting.
    copy = sqlite.create(URL.create("sqlite", database=str(file)))
    with copy.connect() as looking:
        contents = count_contents(looking)
    copy.dispose()
    return contents


def read_rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row with the name of its table; raises `BackupFault` where the file is not whole."""
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
        raise BackupFault(f"{file} is no whole SQLite database") from None


def restore(file: Path, *, url: str) -> None:
    """Puts a copy of the backup in the place of a database that is not there or empty."""
    target = Path(str(make_url(url).database))
    _require_nothing(target)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.restoring")
    beside.unlink(missing_ok=True)
    try:
        create_private(beside)
        shutil.copyfile(file, beside)
        sync(beside)
        beside.replace(target)
        sync(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def _require_nothing(target: Path) -> None:
    if target.exists() and target.stat().st_size:
        raise BackupFault(f"there is a database at {target}: a restore needs an empty place")
    # SQLite would apply such a file to the restored database, and spoil it.
    for suffix in _BESIDE:
        remnant = target.with_name(target.name + suffix)
        if remnant.exists():
            raise BackupFault(f"{remnant} belongs to an earlier database: move it away first")


def _vacuum_into(connection: sqlite3.Connection, file: Path) -> None:
    # SQLite's own waiting looks every tenth of a second, and finds no gap between many writers.
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("VACUUM INTO ?", (str(file),))
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)


def _require_space(database: Path, folder: Path) -> None:
    # The service may use the same disk, and must not be the one to find it full.
    needed, free = database.stat().st_size, shutil.disk_usage(folder).free
    if free < needed:
        raise BackupFault(f"{folder} has {free:,} bytes free, and a backup may need {needed:,}")


def _connect(path: str, *, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(path)}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
