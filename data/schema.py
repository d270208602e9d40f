"""The schema in the database: which revision it has, and how it gets to the newest one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

_PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Upgrades to a revision, the newest by default; one transaction for all steps."""
    with engine.execution_options(writes=True).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def revert(engine: Engine, *, to: str) -> None:
    """Downgrades to a revision; `base` is the empty database."""
    with engine.execution_options(writes=True).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def find_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_current(engine: Engine) -> bool:
    return find_revision(engine) == newest_revision()


def _config() -> Config:
    return Config(toml_file=_PYPROJECT)
