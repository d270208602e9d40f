"""The database: which one it is, and the transaction."""

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

    Raises `NoDatabase` where the file is missing and may not be made.
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
    """One consistent look at the database."""
    options = _KINDS[engine.dialect.name].READ_OPTIONS
    with Session(engine.execution_options(**options)) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction: it begins with the first statement and is committed on leaving."""
    with Session(engine.execution_options(writes=True), expire_on_commit=False) as session:
        yield session
        session.commit()


def name_fault(error: DBAPIError) -> str:
    """The database's own name of a fault; its text could hold what was typed."""
    name: str = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
    return name


def take_lock(connection: Connection, name: bytes, *, shared: bool = False) -> None:
    """Until the transaction ends, no other one holds this name, or those only that share it.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        digest = hashlib.sha256(name).digest()
        postgresql.lock(connection, int.from_bytes(digest[:8], signed=True), shared=shared)
