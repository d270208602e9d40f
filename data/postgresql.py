"""PostgreSQL: where one machine is outgrown."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

# A request that only reads sees one state of the database, however many queries it makes.
READ_OPTIONS: dict[str, Any] = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
WRITERS = 8
_POOL_SIZE = 16
_POOL_SECONDS = 3
# A server that went away without a word is noticed in seconds, not in the system's two hours.
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
    """The server answers a COMMIT before it is safe on disk."""


def create(address: URL) -> Engine:
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        # An exception's text would otherwise carry what was typed.
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
        connection.autocommit = True
        *_, synchronous_commit, fsync = connection.execute(_CONFIGURE).fetchone()
        connection.autocommit = False
        if "off" in (synchronous_commit, fsync):
            raise NotDurable("synchronous_commit and fsync must be on")
    except BaseException:
        # It is not the pool's yet, so nobody else would close it.
        connection.close()
        raise


def lock(connection: Connection, number: int, *, shared: bool = False) -> None:
    """Waits until no other transaction holds this number; held until the transaction ends."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    connection.execute(text(f"SELECT {function}(:number)"), {"number": number})


def take_time(connection: Connection) -> None:
    """A migration or a backup may wait and work for as long as it needs."""
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))
