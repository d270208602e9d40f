"""What every command begins with, and how its faults are told: in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api import server
from data import schema
from data.crypto import KeyringFault, SealBroken
from data.database import name_fault, open_database
from data.documents.files import ContentFaults
from data.documents.status import NotLoaded
from data.operations.backup_contents import BackupFault
from data.operations.status_changes import ImpossibleChange
from data.postgresql import NotDurable
from data.sqlite import NoDatabase
from models.settings import SettingsFault, read_settings


@contextmanager
def opened_database(*, current: bool = True, may_create: bool = False) -> Iterator[Engine]:
    with one_line_faults():
        engine = open_database(read_settings().database_url, may_create=may_create)
        try:
            if schema.find_revision(engine) != schema.NEWEST_REVISION and current:
                fail("the database is not migrated: run `python main.py migrate`")
            yield engine
        finally:
            engine.dispose()


@contextmanager
def one_line_faults() -> Iterator[None]:
    try:
        yield
    except ContentFaults as error:
        fail(str(error), prefix="")
    except ValidationError as error:
        fail("; ".join(_validation_lines(error)))
    except ImpossibleChange as error:
        fail(str(error))
    except NotLoaded:
        fail("the database holds no content: run `python main.py load`")
    except DBAPIError as error:
        fail(f"the database cannot be used ({name_fault(error)})")
    except schema.NewerDatabase:
        fail("the database is newer than this version of the service: use the newer version")
    except NotDurable as error:
        fail(f"the database loses what it has accepted: {error}")
    except KeyringFault as error:
        fail(f"the keys cannot be used so: {error}")
    except (BackupFault, NoDatabase, server.CannotStart, SealBroken, SettingsFault) as error:
        fail(str(error))


def require_word(word: str, *, given: str | None, warning: str) -> None:
    """Goes on only after this word was typed, or given with `--confirm`."""
    if given is None:
        if not sys.stdin.isatty():
            fail(f"{warning} Add --confirm {word}")
        given = typer.prompt(f"{warning} Type {word} to go on", err=True)
    if given != word:
        fail("it was not confirmed, and nothing was changed")


def _validation_lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        yield ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])


def fail(reason: str, *, prefix: str = "clinic-api: ") -> NoReturn:
    typer.echo(f"{prefix}{reason}", err=True)
    raise typer.Exit(1)
