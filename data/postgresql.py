"""PostgreSQL, for a service that needs more than one machine."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

# All queries of a reading session see the same state of the database.
READ_OPTIONS: dict[str, Any] = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
WRITERS = 8
_POOL_SIZE = 16
_POOL_SECONDS = 3
# Notices within seconds that the server is unreachable; the system's default is two hours.
# `tcp_user_timeout` is in milliseconds, the others are in seconds.
_CONNECT = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SESSION = {
    "TimeZone": "UTC",
    "lock_timeout": "3s",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
}
_CONFIGURE = "SELECT " + ", ".join(
    [*(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items()),
     "current_setting('synchronous_commit')", "current_setting('fsync')"]
)  # fmt: skip


class NotDurable(Exception):
    """The server may confirm a COMMIT before the data is on the disk."""


def create(address: URL) -> Engine:
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        # Otherwise the text of an exception contains what a person typed.
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        connect_args=_CONNECT,
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: object) -> None:
    try:
        # In a transaction, a rollback would undo the settings.
        connection.autocommit = True
        *_, synchronous_commit, fsync = connection.execute(_CONFIGURE).fetchone()
        connection.autocommit = False
        if "off" in (synchronous_commit, fsync):
            raise NotDurable("synchronous_commit and fsync must be on")
    except BaseException:
        # The pool does not own the connection yet, and would not close it.
        connection.close()
        raise


def lock(connection: Connection, number: int, *, shared: bool = False) -> None:
    """Waits for the advisory lock `number`, and takes it until the transaction ends."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    connection.execute(text(f"SELECT {function}(:number)"), {"number": number})


def disable_timeouts(connection: Connection) -> None:
    """Removes the time limits of this transaction, because a migration or a backup takes long."""
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))
