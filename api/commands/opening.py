"""What every command begins with, and how its faults are told: in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api import server
from data import schema
from data.content_files import ContentFaults
from data.crypto import KeyringFault, SealBroken
from data.database import open_database
from data.postgresql import NotDurable
from data.status import NotLoaded, ReopeningPassed
from models.settings import SettingsFault, read_settings


@contextmanager
def opened_database(*, current: bool = True) -> Iterator[Engine]:
    with one_line_faults():
        engine = open_database(read_settings().database_url)
        try:
            if current and not schema.is_current(engine):
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
    except ReopeningPassed:
        fail("the day of reopening is over")
    except NotLoaded:
        fail("the database holds no content: run `python main.py load`")
    except DBAPIError as error:
        fail(f"the database cannot be used ({type(error.orig).__name__})")
    except NotDurable as error:
        fail(f"the database loses what it has accepted: {error}")
    except KeyringFault as error:
        fail(f"the keys cannot be used so: {error}")
    except (server.CannotStart, SealBroken, SettingsFault) as error:
        fail(str(error))


def _validation_lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        yield ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])


def fail(reason: str, *, prefix: str = "clinic-api: ") -> NoReturn:
    typer.echo(f"{prefix}{reason}", err=True)
    raise typer.Exit(1)
