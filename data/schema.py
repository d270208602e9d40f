"""The schema of the database: its revision, and its migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from data import postgresql
from data.database import take_lock

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic knows it too, but its import takes 0.2 s and 10 MB at each start. So only the functions
# that need Alembic import it. A test compares this value with Alembic's.
NEWEST_REVISION = "0009"

_VERSIONS = Path(__file__).resolve().parent / "migrations" / "versions"
_PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


class NewerDatabase(Exception):
    """A newer version of the service has migrated the database."""


class MigrationRefused(Exception):
    """The next schema cannot contain what the database has. The message says what to do."""


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Upgrades to a revision, by default the newest. One transaction contains all steps.

    Raises `MigrationRefused`.
    """
    from alembic import command

    with _locked_schema(engine) as connection:
        command.upgrade(_config(connection), to)


def revert(engine: Engine, *, to: str) -> None:
    """Downgrades to a revision. `base` stands for an empty database.

    Raises `MigrationRefused`.
    """
    from alembic import command

    with _locked_schema(engine) as connection:
        command.downgrade(_config(connection), to)


def find_revision(engine: Engine) -> str | None:
    """The revision of the database; `None` for an empty one. Raises `NewerDatabase`."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision is not None and not is_known(revision):
        raise NewerDatabase
    return revision


def is_known(revision: str) -> bool:
    """Whether this version of the service has a migration to this revision."""
    return revision in {file.name.partition("_")[0] for file in _VERSIONS.glob("*.py")}


def is_current(engine: Engine) -> bool:
    return find_revision(engine) == NEWEST_REVISION


@contextmanager
def _locked_schema(engine: Engine) -> Iterator[Connection]:
    """A transaction with the lock of the schema: a second process waits until it has ended."""
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            postgresql.disable_timeouts(connection)
        take_lock(connection, b"schema")
        yield connection


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config
