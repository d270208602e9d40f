"""Opens the database, and begins and ends its transactions."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from data import postgresql, sqlite

_KINDS = {"sqlite": sqlite, "postgresql": postgresql}


def open_database(url: str, *, may_create: bool = False) -> Engine:
    """An engine for `url`, `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.

    With `may_create`, a missing SQLite file is created. Otherwise it raises `NoDatabase`.
    """
    address = make_url(url)
    if may_create and address.get_backend_name() == "sqlite":
        sqlite.create_file(address)
    engine: Engine = _KINDS[address.get_backend_name()].create(address)
    return engine


def count_writers(engine: Engine) -> int:
    """How many transactions may write at the same time."""
    writers: int = _KINDS[engine.dialect.name].WRITERS
    return writers


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for reads; all its queries see the same state of the database."""
    options = _KINDS[engine.dialect.name].READ_OPTIONS
    with Session(engine.execution_options(**options)) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session for writes, in one transaction that begins with the first statement.

    The transaction is committed at the end of the block, and rolled back after an exception.
    """
    with Session(engine.execution_options(writes=True), expire_on_commit=False) as session:
        yield session
        session.commit()


def name_fault(error: DBAPIError) -> str:
    """The database's name of an error. The error's text could contain what a person typed."""
    name: str = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
    return name


def take_lock(connection: Connection, name: bytes, *, shared: bool = False) -> None:
    """Takes the advisory lock `name` until the transaction ends, exclusively or shared.

    Waits while another transaction has the lock. SQLite needs none: it has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        digest = hashlib.sha256(name).digest()
        postgresql.lock(connection, int.from_bytes(digest[:8], signed=True), shared=shared)
