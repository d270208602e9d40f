"""The schema's history: one line, up and down, and no drift from the models."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from data import schema
from data.database import open_database
from tests.process import MAIN, environment, unmeasured


def tables(file: Path) -> set[str]:
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows if not name.startswith("sqlite_")}


def test_there_is_one_line_of_revisions() -> None:
    """One head, so that nobody has to choose."""
    assert len(ScriptDirectory.from_config(schema._config()).get_heads()) == 1


def test_models_and_schema_agree(folder: Path) -> None:
    """A migrated database is what the models say, down to every column's type."""
    engine = open_database(f"sqlite:///{folder}/clinic.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_up_down_and_up_again(tmp_path: Path) -> None:
    """From empty to the newest revision, back to empty, and up again."""
    file = tmp_path / "clinic.db"
    engine = open_database(f"sqlite:///{file}")
    assert schema.find_revision(engine) is None
    schema.migrate(engine)
    assert schema.is_current(engine)
    assert tables(file) == {*SQLModel.metadata.tables, "alembic_version"}
    schema.revert(engine, to="base")
    assert tables(file) == {"alembic_version"}
    schema.migrate(engine)
    assert schema.is_current(engine)
    engine.dispose()


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 40])
def test_a_migration_that_is_killed_leaves_the_old_revision(
    tmp_path: Path, milliseconds: int
) -> None:
    """`kill -9` in mid-migration: either nothing has happened or everything."""
    started = tmp_path / "started"
    script = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from data.database import open_database; from data.schema import migrate\n"
        "engine = open_database(sys.argv[2]); pathlib.Path(sys.argv[3]).touch(); migrate(engine)\n"
    )
    file = tmp_path / "clinic.db"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(MAIN.parent), f"sqlite:///{file}", str(started)],
        env=unmeasured(environment(tmp_path)),
        start_new_session=True,
    )
    while not started.exists():
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    engine = open_database(f"sqlite:///{file}")
    revision = schema.find_revision(engine)
    present = tables(file)
    assert present == set() if revision is None else present > set(SQLModel.metadata.tables)
    schema.migrate(engine)
    assert schema.is_current(engine)
    engine.dispose()
