"""Migrations: one sequence, in both directions, concurrent, killed, and equal to the models."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, inspect, text
from sqlmodel import Session, SQLModel, select

from api.server import open_audit, open_keyring, prepare
from data import schema
from data.crypto import write_keyring
from data.database import open_database, reading, writing
from data.documents.files import SHIPPED_CONTENT, read_content
from data.documents.status_history import list_planned
from data.notifications.webhooks import create_webhook
from data.operations.status_changes import call_off_change
from data.outbox import announce
from models.audit import COMMAND_LINE
from models.delivery import Delivery, EventType
from models.document import Revision
from models.values import utc_now
from models.webhook import Webhook, WebhookCreate
from tests.support.apps import set_status, settings_in
from tests.support.audit import open_with_audit
from tests.support.clinic import prepare_database
from tests.support.databases import url_of
from tests.support.intake import count, post
from tests.support.process import MAIN, environment, without_coverage


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


@pytest.fixture
def empty(empty_folder: Path) -> Iterator[Engine]:
    """The engine of a database without tables."""
    engine = open_database(url_of(empty_folder), may_create=True)
    yield engine
    engine.dispose()


def test_there_is_one_newest_revision() -> None:
    """The revisions have one head, and the service requires this one."""
    heads = ScriptDirectory.from_config(schema._config()).get_heads()
    assert heads == [schema.NEWEST_REVISION]


def test_a_revision_is_known_by_its_file() -> None:
    """Each migration's file name begins with its revision."""
    assert all(schema.is_known(revision) for revision in revisions())
    assert not schema.is_known("9999")


def test_models_and_schema_agree(folder: Path) -> None:
    """A migrated database equals the models, including the types of columns."""
    engine = open_database(url_of(folder))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_up_down_and_up_again(empty: Engine) -> None:
    """The schema can be created, removed and created again."""
    assert schema.find_revision(empty) is None
    schema.migrate(empty)
    assert schema.is_current(empty)
    assert tables(empty) == {*SQLModel.metadata.tables, "alembic_version"}
    schema.revert(empty, to="base")
    assert tables(empty) == {"alembic_version"}
    schema.migrate(empty)
    assert schema.is_current(empty)


async def test_down_and_up_with_data(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A database with data can be migrated down and up, and then accepts content and requests."""
    assert (await post(client, key="before-the-migration")).status_code == 201
    for revision in [*reversed(revisions()), "base"]:
        schema.revert(engine, to=revision)
    assert tables(engine) == {"alembic_version"}
    for revision in revisions():
        schema.migrate(engine, to=revision)
    prepare_database(folder)
    open_audit(engine, settings_in(folder))
    set_status(engine, state="open")
    assert (await post(client, key="after-the-migration")).status_code == 201
    assert count(engine) == 1


def test_called_off_changes_are_not_restored(folder: Path) -> None:
    """Reverting to a schema without calling off deletes the changes that were called off."""
    engine = open_with_audit(folder)
    later = utc_now() + timedelta(days=1)
    set_status(engine, state="open", effective_from=later)
    set_status(engine, state="temporarily_closed", effective_from=later)
    with writing(engine) as session:
        assert call_off_change(session, change_id=2, actor=COMMAND_LINE) is not None
    schema.revert(engine, to="0003")
    with engine.connect() as connection:
        states = connection.execute(text("SELECT state FROM status_change ORDER BY id"))
        assert list(states.scalars()) == ["permanently_closed", "temporarily_closed"]
    schema.migrate(engine)
    open_audit(engine, settings_in(folder))
    set_status(engine, state="open", effective_from=later)
    with reading(engine) as session:
        assert [row.state for row in list_planned(session)] == ["temporarily_closed", "open"]
    engine.dispose()


def revisions() -> list[str]:
    """All revisions, the oldest first."""
    scripts = ScriptDirectory.from_config(schema._config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def test_stored_events_get_their_new_names(folder: Path) -> None:
    """0007 renames the events of webhooks and of the outbox, and leaves the audit unchanged."""
    engine = open_with_audit(folder)
    keyring = open_keyring(engine, settings_in(folder))
    hook = WebhookCreate(url="https://hook.example/", events=list(EventType))
    with writing(engine) as session:
        create_webhook(session, webhook=hook, keyring=keyring, actor=COMMAND_LINE)
        announce(session, event=EventType.REQUEST_RECEIVED, subjects=["one"], state="received")
        announce(session, event=EventType.STATUS_CHANGED, subjects=["2"], state="open")
    scripts = ScriptDirectory.from_config(schema._config())
    before = scripts.get_revision("0007").down_revision
    assert isinstance(before, str)
    schema.revert(engine, to=before)
    old = '{"type": "consultation_request.received", "timestamp": "2026-01-31T09:00:00Z"}'
    with engine.execution_options(writes=True).begin() as connection:
        assert stored_events(connection) == (
            ["consultation_request.changed", "consultation_request.received",
             "consultation_request.withdrawn", "status.changed"],
            {"consultation_request.received": "consultation_request.received",
             "status.changed": "status.changed"},
        )  # fmt: skip
        # The payload that the release before 0007 wrote.
        connection.execute(
            text("UPDATE delivery SET payload = :old WHERE event <> 'status.changed'"), {"old": old}
        )
        events = "SELECT details FROM audit_event WHERE action = 'webhook.created'"
        audited = connection.scalar(text(events))
    schema.migrate(engine)
    with engine.connect() as connection:
        assert stored_events(connection) == (
            ["request.changed", "request.received", "request.withdrawn", "status.changed"],
            {"request.received": "request.received", "status.changed": "status.changed"},
        )
        assert connection.scalar(text(events)) == audited
    engine.dispose()


def stored_events(connection: Connection) -> tuple[list[str], dict[str, str]]:
    """The events of the only webhook, and for each delivery its event and the message's `type`."""
    [events] = connection.scalars(select(Webhook.events))
    deliveries = connection.execute(select(Delivery.event, Delivery.payload))
    return sorted(events), {event: json.loads(payload)["type"] for event, payload in deliveries}


def test_concurrent_migrations(empty_folder: Path) -> None:
    """Of concurrent migrations one does the work, and the content is loaded once."""
    write_keyring(empty_folder / "keyring.json", generated=True)
    engines = [open_database(url_of(empty_folder), may_create=True) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(schema.migrate, engines))
        list(pool.map(prepare, [settings_in(empty_folder)] * 4))
    with Session(engines[0]) as session:
        shipped = len(read_content(SHIPPED_CONTENT).files)
        assert session.exec(select(func.count()).select_from(Revision)).one() == shipped
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 40])
def test_a_killed_migration_changes_nothing(
    empty_folder: Path, empty: Engine, milliseconds: int
) -> None:
    """A migration that is killed has done either nothing or everything."""
    started = empty_folder / "started"
    script = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from data.database import open_database; from data.schema import migrate\n"
        "engine = open_database(sys.argv[2]); pathlib.Path(sys.argv[3]).touch(); migrate(engine)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(MAIN.parent), url_of(empty_folder), str(started)],
        env=without_coverage(environment(empty_folder)),
        start_new_session=True,
    )
    while not started.exists():
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    revision = schema.find_revision(empty)
    present = tables(empty)
    assert present == set() if revision is None else present > set(SQLModel.metadata.tables)
    schema.migrate(empty)
    assert schema.is_current(empty)
