"""The schema in the database: which revision it has, and how it gets to the newest one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from data import postgresql
from data.database import take_lock

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic could tell, but it takes a fifth of a second and ten megabytes at each start; where a
# function below needs it, it is imported there. A test compares.
NEWEST_REVISION = "0008"

_VERSIONS = Path(__file__).resolve().parent / "migrations" / "versions"
_PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


class NewerDatabase(Exception):
    """A newer version of the service has migrated the database."""


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Upgrades to a revision, the newest by default; one transaction for all steps."""
    from alembic import command

    with _alone(engine) as connection:
        command.upgrade(_config(connection), to)


def revert(engine: Engine, *, to: str) -> None:
    """Downgrades to a revision; `base` is the empty database."""
    from alembic import command

    with _alone(engine) as connection:
        command.downgrade(_config(connection), to)


def find_revision(engine: Engine) -> str | None:
    """The revision of the database, None for an empty one; raises `NewerDatabase`."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is not None and not is_known(revision):
        raise NewerDatabase
    return revision


def is_known(revision: str) -> bool:
    """Whether this version of the service has this revision; a newer one has more."""
    return revision in {file.name.partition("_")[0] for file in _VERSIONS.glob("*.py")}


def is_current(engine: Engine) -> bool:
    return find_revision(engine) == NEWEST_REVISION


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """One transaction for all steps; a second process waits, and then finds them done."""
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            postgresql.take_time(connection)
        take_lock(connection, b"schema")
        yield connection


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config
