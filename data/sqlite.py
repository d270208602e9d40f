"""SQLite, the default: one file, one writer at a time."""

import os
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event

WRITERS = 1
READ_OPTIONS: dict[str, Any] = {}

# The rollback journal, because Debian's SQLite (3.40) can corrupt a database in WAL mode.
# EXTRA also syncs the folder after a commit; otherwise a power failure can undo the commit.
_PRAGMAS = (
    "journal_mode = DELETE",
    "synchronous = EXTRA",
    "foreign_keys = ON",
    "secure_delete = ON",
    "trusted_schema = OFF",
)
_BUSY_SECONDS = 3
# As many connections as the thread pool has threads: no request waits for a connection.
_POOL_SIZE = 40


class NoDatabase(Exception):
    """There is no database file, or it could not be created. The message says which."""


def create_file(address: URL) -> None:
    """Creates the file and its folder if they are missing. Raises `NoDatabase`."""
    file = Path(address.database or "")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            # Only the owner may read what patients send, although it is sealed.
            file.touch(mode=0o600)
    except OSError as error:
        raise NoDatabase(f"no database can be made at {file}: {error.strerror}") from None


def create(address: URL) -> Engine:
    """The engine of an existing file. Raises `NoDatabase`."""
    if not os.path.exists(address.database or ""):
        raise NoDatabase(
            f"there is no database at {address.database}: "
            "make one with `python main.py migrate`, or correct CLINIC_DATABASE_URL"
        )
    engine = create_engine(
        address,
        # Otherwise the text of an exception contains what a person typed.
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
    event.listen(engine, "handle_error", _reconnect_after_restore)
    return engine


def _use_existing_file(
    _dialect: object, _record: object, arguments: list[str], options: dict[str, Any]
) -> None:
    # `mode=rw` fails if the file has vanished; otherwise SQLite creates an empty database.
    arguments[0] = f"file:{quote(arguments[0])}?mode=rw"
    options["uri"] = True


def _configure(connection: SQLiteConnection, _record: object) -> None:
    # Otherwise the driver begins transactions itself, and only before some statements.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # After a plain BEGIN, a read and then a write fail at once if another transaction writes.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _roll_back(connection: SQLiteConnection, _record: object, _reason: object) -> None:
    # After a failed COMMIT, SQLAlchemy regards the transaction as ended, but SQLite keeps its
    # lock, and every later writer would wait. Closing the connection does not release the lock
    # before all its statements are garbage-collected.
    if connection.in_transaction:
        connection.rollback()


def _reconnect_after_restore(context: ExceptionContext) -> None:
    # A restored backup has replaced the file: SQLAlchemy must discard its old connections.
    name = getattr(context.original_exception, "sqlite_errorname", None)
    if name == "SQLITE_READONLY_DBMOVED":
        context.is_disconnect = True
