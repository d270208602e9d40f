"""Opens the database and the keys for commands, and reports faults in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api import server
from data import schema
from data.audit.chain import ChainFault
from data.crypto import KeyringFault, SealBroken
from data.database import name_fault, open_database
from data.documents.files import ContentFaults
from data.documents.published import NotLoaded
from data.live_keyring import LiveKeyring
from data.operations.backup_contents import BackupFault
from data.operations.roles import RoleFault
from data.operations.status_changes import ImpossibleChange
from data.postgresql import NotDurable
from data.sqlite import NoDatabase
from models.settings import SettingsFault, read_settings

# The messages of these exceptions are written for operators.
_EXPLAINED = (
    BackupFault,
    ChainFault,
    ContentFaults,
    ImpossibleChange,
    NoDatabase,
    RoleFault,
    SealBroken,
    SettingsFault,
    schema.MigrationRefused,
    server.CannotStart,
)
FAULTS = (
    *_EXPLAINED,
    DBAPIError,
    KeyringFault,
    NotDurable,
    NotLoaded,
    ValidationError,
    schema.NewerDatabase,
)


@contextmanager
def opened_database(
    url: str | None = None, *, current: bool = True, may_create: bool = False
) -> Iterator[Engine]:
    """The database at `url`, by default CLINIC_DATABASE_URL. A fault ends the command.

    With `current`, the database must have the newest schema.
    """
    with one_line_faults(), open_engine(url, current=current, may_create=may_create) as engine:
        yield engine


@contextmanager
def open_engine(
    url: str | None = None, *, current: bool = True, may_create: bool = False
) -> Iterator[Engine]:
    """The same, but raises the fault: one of `FAULTS`."""
    engine = open_database(url or read_settings().database_url, may_create=may_create)
    try:
        if schema.find_revision(engine) != schema.NEWEST_REVISION and current:
            raise server.CannotStart("the database is not migrated: run `python main.py migrate`")
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened_for_events() -> Iterator[tuple[Engine, LiveKeyring]]:
    """The database and the keyring, for a command that records an audit event."""
    with opened_database() as engine:
        yield engine, open_for_events(engine)


def open_for_events(engine: Engine) -> LiveKeyring:
    """The keyring, for a command that has opened the database and records an audit event.

    In development, it creates a missing keyring file.
    """
    return server.open_audit(engine, read_settings(), may_create=True)


@contextmanager
def one_line_faults() -> Iterator[None]:
    """Prints a fault in one line and exits with 1. Content files get one line for each fault."""
    try:
        yield
    except FAULTS as error:
        # A fault of the content files already begins with the name of its file.
        fail(explain(error), prefix="" if isinstance(error, ContentFaults) else "clinic-api: ")


def explain(error: Exception) -> str:
    """The fault and the next step in one line, for one of `FAULTS`. Contains no typed value."""
    match error:
        case ValidationError():
            return "; ".join(_validation_lines(error))
        case NotLoaded():
            return "the database has no content: set CLINIC_CONTENT, and run `python main.py serve`"
        case DBAPIError():
            return f"the database cannot be used ({name_fault(error)})"
        case schema.NewerDatabase():
            return "the database is newer than this version of the service: use the newer version"
        case NotDurable():
            return f"the database can lose committed data: {error}"
        case KeyringFault():
            return f"the keys cannot be used: {error}"
        case _:
            return str(error)


def _validation_lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        yield ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])


def fail(reason: str, *, prefix: str = "clinic-api: ") -> NoReturn:
    """Prints the reason on stderr and exits with 1."""
    typer.echo(f"{prefix}{reason}", err=True)
    raise typer.Exit(1)
