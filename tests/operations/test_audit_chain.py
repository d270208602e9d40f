"""The audit cannot be rewritten unnoticed: its hash chain, its secret and its triggers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from api.server import CannotStart
from data import schema
from data.audit import record_event
from data.audit_chain import ChainNotOpen
from data.crypto import header_of, read_document
from data.database import open_database, writing
from models.audit import COMMAND_LINE, Action, AuditEvent, AuditSecret
from tests.support.apps import set_status
from tests.support.audit import examined, open_with_audit, tamper
from tests.support.backups import back_up, empty_place
from tests.support.commands import invoke
from tests.support.databases import url_of
from tests.support.intake import count
from tests.support.staff import signed_in

EVENTS = 5
WRITERS = 8
CHANGED = "Event {} was changed or inserted."


@pytest.fixture
def audited(folder: Path) -> Iterator[Engine]:
    """A database whose audit has five events."""
    engine = open_with_audit(folder)
    for _ in range(EVENTS):
        signed_in(engine, "admin")
    yield engine
    engine.dispose()


def faults_of(folder: Path) -> str:
    """What `doctor` finds wrong with the events; empty where nothing is."""
    status, detail = examined(folder)["audit"]
    assert status == ("ok" if "events are unchanged" in detail else "failed")
    return "" if status == "ok" else detail.partition(" The audit was changed")[0]


def insert(number: int, event_hash: str) -> str:
    """A statement that puts a copy of event 1 in under another number."""
    return (
        "INSERT INTO audit_event (id, at, actor, action, subject, details, hash) "
        f"SELECT {number}, at, actor, action, subject, details, {event_hash} "
        "FROM audit_event WHERE id = 1"
    )


TAMPERINGS = {
    "actor": (["UPDATE audit_event SET actor = 'x' WHERE id = 3"], [3]),
    "action": (["UPDATE audit_event SET action = 'token.used' WHERE id = 1"], [1]),
    "at": (["UPDATE audit_event SET at = '2026-01-31 09:00:00.000000' WHERE id = 5"], [5]),
    "subject": (["UPDATE audit_event SET subject = NULL WHERE id = 3"], [3]),
    "details": (["UPDATE audit_event SET details = '{}' WHERE id = 3"], [3]),
    "hash": (["UPDATE audit_event SET hash = NULL WHERE id = 3"], [3, 4]),
    "inserted without a hash": ([insert(6, "NULL")], [6]),
    "inserted with a hash": ([insert(6, "hash")], [6]),
    "swapped": (
        [
            "UPDATE audit_event SET id = -1 WHERE id = 3",
            "UPDATE audit_event SET id = 3 WHERE id = 4",
            "UPDATE audit_event SET id = 4 WHERE id = -1",
        ],
        [3, 4, 5],
    ),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_what_was_changed_is_named(folder: Path, audited: Engine, kind: str) -> None:
    """Each column of an event, its place among the others, and an inserted event."""
    assert faults_of(folder) == ""
    statements, named = TAMPERINGS[kind]
    tamper(folder, *statements)
    assert faults_of(folder) == " ".join(CHANGED.format(number) for number in named)


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("DELETE FROM audit_event WHERE id = 1", "Event 1 is missing."),
        ("DELETE FROM audit_event WHERE id IN (2, 3)", "Events 2 to 3 are missing."),
        ("UPDATE audit_event SET id = 9 WHERE id = 5", "Events 5 to 8 are missing."),
    ],
)
def test_what_was_removed_is_named(
    folder: Path, audited: Engine, statement: str, missing: str
) -> None:
    """Events are numbered without gaps, so that the numbers of removed ones are known."""
    tamper(folder, statement)
    assert faults_of(folder) == missing


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "change",
    ["details = '{'", "at = 'x'", "actor = x'00'", "hash = 'x'", "actor = CAST(x'ff' AS TEXT)"],
)
def test_an_event_that_cannot_be_read_is_named(folder: Path, audited: Engine, change: str) -> None:
    """A value that no column of this kind can have does not end the check."""
    tamper(folder, f"UPDATE audit_event SET {change} WHERE id = 3")
    assert faults_of(folder).startswith(CHANGED.format(3))


@pytest.mark.database("sqlite")
def test_an_event_before_the_first_one(folder: Path, audited: Engine) -> None:
    """One that was inserted before all others is named, also where it cannot be read."""
    tamper(folder, insert(-1, "NULL"))
    assert "One of the 1 oldest events" in faults_of(folder)
    tamper(folder, "UPDATE audit_event SET details = '{' WHERE id = -1")
    assert faults_of(folder) == f"{CHANGED.format(-1)} Event 0 is missing."


def test_the_newest_events_are_compared_with_a_backup(folder: Path, audited: Engine) -> None:
    """Their removal leaves a chain that is whole; the newest backup knows the event."""
    invoke("backup", str(folder / "backups"), folder=folder)
    tamper(folder, "DELETE FROM audit_event WHERE id = 5")
    assert faults_of(folder) == ""
    done = invoke("doctor", folder=folder, CLINIC_BACKUP_DIR=str(folder / "backups"))
    assert done.exit_code == 1
    [line] = [line for line in done.stdout.splitlines() if "audit_end" in line]
    assert line.startswith("failed audit_end  Event 5, the newest one of clinic-")
    # Another event of the same number is not the same event.
    signed_in(audited, "admin")
    done = invoke("doctor", folder=folder, CLINIC_BACKUP_DIR=str(folder / "backups"))
    assert "failed audit_end" in done.stdout


def test_events_from_before_the_chain(folder: Path, audited: Engine) -> None:
    """A migrated database keeps its events; a change of them shows, as do later ones."""
    schema.revert(audited, to="0007")
    schema.migrate(audited)
    assert examined(folder)["audit"][0] == "ok"
    engine = open_with_audit(folder)
    assert count(engine, AuditEvent) == EVENTS
    assert faults_of(folder) == ""
    signed_in(engine, "admin")
    engine.dispose()
    assert faults_of(folder) == ""
    tamper(folder, "UPDATE audit_event SET actor = 'x' WHERE id = 2")
    oldest = "One of the 5 oldest events, which have no hash, was changed, removed or inserted."
    assert faults_of(folder) == oldest
    tamper(folder, "UPDATE audit_event SET actor = 'y' WHERE id = 6")
    assert faults_of(folder) == f"{oldest} {CHANGED.format(6)}"


def test_hashes_that_were_taken_away(folder: Path, audited: Engine) -> None:
    """Events without hashes are not taken for older ones."""
    tamper(folder, "UPDATE audit_event SET hash = NULL")
    assert "One of the 5 oldest events" in faults_of(folder)


REPLACEMENT = (
    "INTO audit_event (id, at, actor, action, details) VALUES (3, '2026-01-31', 'x', 'y', '{}')"
)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE {REPLACEMENT}",
        f"REPLACE {REPLACEMENT}",
        f"INSERT OR IGNORE {REPLACEMENT}",
        f"INSERT {REPLACEMENT} ON CONFLICT (id) DO UPDATE SET actor = 'x'",
        "UPDATE OR REPLACE audit_event SET id = 3 WHERE id = 4",
    ],
)
def test_no_event_is_replaced(folder: Path, audited: Engine, statement: str) -> None:
    """SQLite's REPLACE removes a row without a DELETE: the trigger before the INSERT refuses it."""
    with pytest.raises(IntegrityError, match="only ever appended"), writing(audited) as session:
        session.connection().execute(text(statement))
    assert faults_of(folder) == ""


def test_writers_do_not_fork_the_chain(folder: Path, audited: Engine) -> None:
    """Eight writers at once, in two processes' worth of connections: one chain without a gap."""
    other = open_with_audit(folder)

    def write(number: int) -> None:
        with writing(audited if number % 2 else other) as session:
            for _ in range(2):
                record_event(session, actor=COMMAND_LINE, action=Action.REQUEST_READ)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(10 * WRITERS)))
    other.dispose()
    assert count(audited, AuditEvent) == EVENTS + 20 * WRITERS
    assert faults_of(folder) == ""


def test_a_rollback_leaves_no_event(folder: Path, audited: Engine) -> None:
    """What is rolled back or left without a commit is forgotten, in the same session too."""
    with writing(audited) as session:
        record_event(session, actor="undone", action=Action.REQUEST_READ)
        session.rollback()
        record_event(session, actor="closed", action=Action.REQUEST_READ)
        session.close()
        record_event(session, actor="kept", action=Action.REQUEST_READ)
    with Session(audited) as session:
        actors = session.exec(select(AuditEvent.actor).order_by("id")).all()
    assert actors[EVENTS:] == ["kept"]
    assert faults_of(folder) == ""


def test_no_event_is_recorded_without_the_chain(folder: Path) -> None:
    """A program that did not open the chain fails, and writes nothing."""
    engine = open_database(url_of(folder))
    with pytest.raises(ChainNotOpen):
        set_status(engine, state="open")
    assert count(engine, AuditEvent) == 0
    engine.dispose()


def test_a_rotation_keeps_the_chain(folder: Path, audited: Engine) -> None:
    """The secret is sealed with the new key, and links as before."""
    assert invoke("keys", "add", folder=folder).exit_code == 0
    assert invoke("keys", "rotate", folder=folder).exit_code == 0
    with Session(audited) as session:
        sealed = session.get_one(AuditSecret, "audit").sealed
    assert sealed.startswith(header_of(read_document(folder / "keyring.json").active))
    signed_in(audited, "admin")
    assert faults_of(folder) == ""


def test_a_restored_audit(
    database_kind: str, request: pytest.FixtureRequest, folder: Path, audited: Engine
) -> None:
    """It is whole, and goes on where the backup ended."""
    file = back_up(folder)
    with empty_place(database_kind, request, keyring_of=folder) as place:
        done = invoke("restore", str(file), "--confirm", "restore", folder=place)
        assert done.exit_code == 0, done.stderr
        assert faults_of(place) == ""
        engine = open_with_audit(place)
        signed_in(engine, "admin")
        assert count(engine, AuditEvent) == EVENTS + 1
        engine.dispose()
        assert faults_of(place) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DELETE FROM audit_secret", "a new one would hide changed events"),
        ("UPDATE audit_secret SET sealed = substr(sealed, 1, 60)", "cannot be opened"),
    ],
)
def test_there_is_no_second_secret(folder: Path, audited: Engine, change: str, reason: str) -> None:
    """Where it is gone or damaged, nothing starts or records, and one line says what to do."""
    tamper(folder, change)
    with pytest.raises(CannotStart, match=reason):
        open_with_audit(folder)
    for command in (["serve"], ["keys", "add"], ["status", "set", "open"], ["requests", "purge"]):
        done = invoke(*command, folder=folder)
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), command
        assert reason in done.stderr
        assert "restore the table audit_secret from a backup" in done.stderr
    assert reason in examined(folder)["audit"][1]
    assert len(read_document(folder / "keyring.json").keys) == 1
    assert count(audited, AuditEvent) == EVENTS
