"""Backups of PostgreSQL: dumps that `pg_dump` writes and `pg_restore` reads."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, make_url, text

from data import postgresql
from data.operations.backup_contents import BackupFault, count_contents
from models.backup import BackupContents

if TYPE_CHECKING:
    from psycopg import ConnectionInfo

SUFFIX = ".dump"
_COPY = re.compile(rb'^COPY (?:[^ (]+\.)?"?(\w+)"? \((.+)\) FROM stdin;\n$')
_END_OF_COPY = b"\\.\n"


def write_copy(engine: Engine, file: Path) -> BackupContents:
    """Dumps one snapshot into an empty file; returns what the snapshot contains."""
    with engine.execution_options(**postgresql.READ_OPTIONS).connect() as connection:
        postgresql.disable_timeouts(connection)
        pg_dump = _find_program("pg_dump", server=_info(connection).server_version)
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        contents = count_contents(connection)
        with file.open("wb") as dump:
            _run(
                [pg_dump, "--format=custom", f"--snapshot={snapshot}", *_address(connection)],
                connection,
                output=dump,
            )
    return contents


def read_rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row as text, with the name of its table. Needs no server. Raises `BackupFault`."""
    pg_restore = _find_program("pg_restore")
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            [pg_restore, "--data-only", "--file=-", str(file)],
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process:
            assert process.stdout is not None
            yield from _parse(process.stdout)
        if process.returncode:
            errors.seek(0)
            raise _fault("pg_restore", errors.read())


def restore(file: Path, *, url: str) -> None:
    """Restores into a database without tables, in one transaction. Raises `BackupFault`."""
    pg_restore = _find_program("pg_restore")
    engine = postgresql.create(make_url(url))
    try:
        with engine.connect() as connection:
            if inspect(connection).get_table_names():
                raise BackupFault("the database has tables: a restore needs an empty one")
            connection.rollback()
            options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
            _run([pg_restore, *options, *_address(connection), str(file)], connection)
    finally:
        engine.dispose()


def _find_program(name: str, *, server: int | None = None) -> str:
    program = shutil.which(name)
    if program is None:
        raise BackupFault(f"{name} is not installed: it comes with PostgreSQL's client programs")
    if server is not None:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"\d+", done.stdout)
        # The server's version is a number such as 180004.
        server_major = server // 10_000
        if version is None or int(version[0]) < server_major:
            raise BackupFault(f"{name} is older than the server, which has version {server_major}")
    return program


def _run(command: list[str], connection: Connection, *, output: IO[bytes] | None = None) -> None:
    # The password is in the environment, because every user of the machine sees command lines.
    environment = {**os.environ, "PGPASSWORD": _info(connection).password}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise _fault(Path(command[0]).name, done.stderr)


def _address(connection: Connection) -> list[str]:
    """The options with which a program connects to the database of this connection."""
    # Each start would pay for the import, on SQLite too.
    from psycopg.conninfo import make_conninfo

    # Only options of the URL: an older program does not know all those that the driver's library
    # adds. What comes from the environment comes to the program too.
    _, given = connection.dialect.create_connect_args(connection.engine.url)
    used = _info(connection).get_parameters()
    conninfo = make_conninfo(**{name: value for name, value in used.items() if name in given})
    return ["--no-password", f"--dbname={conninfo}"]


def _info(connection: Connection) -> "ConnectionInfo":
    driver: Any = connection.connection.driver_connection
    info: ConnectionInfo = driver.info
    return info


def _fault(program: str, errors: bytes) -> BackupFault:
    lines = errors.decode(errors="replace").splitlines()
    # Only the first error: the lines after it may contain rows.
    reason = next((line.partition("error: ")[2] for line in lines if "error: " in line), "")
    return BackupFault(f"{program} failed: {reason or 'it gave no reason'}")


def _parse(lines: IO[bytes]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows in the output of `pg_restore`: `COPY table (columns)`, one row per line, `\\.`."""
    for line in lines:
        begins = _COPY.match(line)
        if begins is None:
            continue
        name = begins[1].decode()
        columns = [column.strip().strip('"') for column in begins[2].decode().split(",")]
        for row in iter(lines.readline, _END_OF_COPY):
            # The output ends inside a table: `pg_restore` failed, and the caller reports it.
            if not row:
                return
            values = row.decode().removesuffix("\n").split("\t")
            yield (
                name,
                {
                    column: None if value == "\\N" else value
                    for column, value in zip(columns, values, strict=True)
                },
            )
