"""The schema in the database: which revision it has, and how it gets to the newest one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from data import postgresql
from data.database import hold

_PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Upgrades to a revision, the newest by default; one transaction for all steps."""
    with _alone(engine) as connection:
        command.upgrade(_config(connection), to)


def revert(engine: Engine, *, to: str) -> None:
    """Downgrades to a revision; `base` is the empty database."""
    with _alone(engine) as connection:
        command.downgrade(_config(connection), to)


def find_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_current(engine: Engine) -> bool:
    return find_revision(engine) == newest_revision()


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """One transaction for all steps; a second process waits, and then finds them done."""
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            postgresql.take_time(connection)
        hold(connection, b"schema")
        yield connection


def _config(connection: Connection | None = None) -> Config:
    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config
