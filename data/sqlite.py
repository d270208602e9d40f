"""SQLite: the embedded default, one file, one writer at a time."""

import os
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event

WRITERS = 1
READ_OPTIONS: dict[str, Any] = {}

# Debian's SQLite has the bug that corrupts a database in WAL mode, so: the rollback journal.
# EXTRA also syncs the folder after a commit; without it a lost power supply can undo one.
_PRAGMAS = (
    "journal_mode = DELETE",
    "synchronous = EXTRA",
    "foreign_keys = ON",
    "secure_delete = ON",
    "trusted_schema = OFF",
)
_BUSY_SECONDS = 3
# As many connections as the thread pool has threads: a request never waits for one.
_POOL_SIZE = 40


class NoDatabase(Exception):
    """There is no database file, and none was to be made or could be; the text says which."""


def create_file(address: URL) -> None:
    """Makes the file and its folder where they are missing; raises `NoDatabase`."""
    file = Path(address.database or "")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            # Nobody but the owner reads what patients send, sealed or not.
            file.touch(mode=0o600)
    except OSError as error:
        raise NoDatabase(f"no database can be made at {file}: {error.strerror}") from None


def create(address: URL) -> Engine:
    """The engine of a file that exists; raises `NoDatabase`."""
    if not os.path.exists(address.database or ""):
        raise NoDatabase(
            f"there is no database at {address.database}: "
            "make one with `python main.py migrate`, or correct CLINIC_DATABASE_URL"
        )
    engine = create_engine(
        address,
        # An exception's text would otherwise carry what was typed.
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        connect_args={"timeout": _BUSY_SECONDS},
    )
    event.listen(engine, "do_connect", _use_existing_file)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "reset", _roll_back)
    event.listen(engine, "invalidate", _roll_back)
    event.listen(engine, "handle_error", _leave_moved_file)
    return engine


def _use_existing_file(
    _dialect: object, _record: object, arguments: list[str], options: dict[str, Any]
) -> None:
    # SQLite would make a file that went away anew, empty, and answer from that.
    arguments[0] = f"file:{quote(arguments[0])}?mode=rw"
    options["uri"] = True


def _configure(connection: SQLiteConnection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and then writes fails at once when another one writes.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _roll_back(connection: SQLiteConnection, _record: object, _reason: object) -> None:
    # After a COMMIT that failed SQLAlchemy takes the transaction for ended; SQLite still holds
    # its lock, and every later writer would wait for it. A closed connection holds it as long as
    # one of its statements is not collected.
    if connection.in_transaction:
        connection.rollback()


def _leave_moved_file(context: ExceptionContext) -> None:
    # Another file stands in this one's place, a restored backup: connect anew.
    name = getattr(context.original_exception, "sqlite_errorname", None)
    if name == "SQLITE_READONLY_DBMOVED":
        context.is_disconnect = True
