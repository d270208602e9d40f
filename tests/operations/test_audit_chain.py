"""The audit's hash chain, its secret and its triggers reveal each change of an event."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from api.server import CannotStart
from data import schema
from data.audit.chain import ChainNotOpen
from data.audit.events import record_event
from data.crypto import header_of, read_document
from data.database import open_database, writing
from models.audit import COMMAND_LINE, Action, AuditEvent, AuditSecret
from tests.support.apps import set_status
from tests.support.audit import doctor_checks, open_with_audit, tamper
from tests.support.backups import back_up, empty_folder_with_keys
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
    """The faults that `doctor` finds in the audit's events; empty if there are none."""
    status, detail = doctor_checks(folder)["audit"]
    assert status == ("ok" if "events are unchanged" in detail else "failed")
    return "" if status == "ok" else detail.partition(" The audit was changed")[0]


def insert(number: int, event_hash: str) -> str:
    """SQL that inserts a copy of event 1 with another number."""
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
def test_changed_events_are_found(folder: Path, audited: Engine, kind: str) -> None:
    """A changed column, a swapped event and an inserted event are found."""
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
def test_removed_events_are_found(
    folder: Path, audited: Engine, statement: str, missing: str
) -> None:
    """Events are numbered without gaps, so removed ones are found."""
    tamper(folder, statement)
    assert faults_of(folder) == missing


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "change",
    ["details = '{'", "at = 'x'", "actor = x'00'", "hash = 'x'", "actor = CAST(x'ff' AS TEXT)"],
)
def test_unreadable_events_are_found(folder: Path, audited: Engine, change: str) -> None:
    """A value of the wrong type is found, and does not end the check."""
    tamper(folder, f"UPDATE audit_event SET {change} WHERE id = 3")
    assert faults_of(folder).startswith(CHANGED.format(3))


def test_changed_events_are_found_in_many(folder: Path, audited: Engine) -> None:
    """The check reads pages of 1,000 events, and finds a change on each side of a page's end."""
    with writing(audited) as session:
        for _ in range(2100):
            record_event(session, actor=COMMAND_LINE, action=Action.REQUEST_READ)
    assert "All 2105 events" in doctor_checks(folder)["audit"][1]
    tamper(folder, "UPDATE audit_event SET actor = 'x' WHERE id IN (1000, 1001, 2105)")
    assert faults_of(folder) == " ".join(CHANGED.format(number) for number in (1000, 1001, 2105))


@pytest.mark.database("sqlite")
def test_an_event_before_the_first_one(folder: Path, audited: Engine) -> None:
    """One that was inserted before all others is named, also where it cannot be read."""
    tamper(folder, insert(-1, "NULL"))
    assert "One of the 1 oldest events" in faults_of(folder)
    tamper(folder, "UPDATE audit_event SET details = '{' WHERE id = -1")
    assert faults_of(folder) == f"{CHANGED.format(-1)} Event 0 is missing."


def test_the_newest_events_are_compared_with_a_backup(folder: Path, audited: Engine) -> None:
    """The removal of the newest events is found by comparison with the newest backup."""
    invoke("backup", str(folder / "backups"), folder=folder)
    tamper(folder, "DELETE FROM audit_event WHERE id = 5")
    assert faults_of(folder) == ""
    done = invoke("doctor", folder=folder, CLINIC_BACKUP_DIR=str(folder / "backups"))
    assert done.exit_code == 1
    [line] = [line for line in done.stdout.splitlines() if "audit_end" in line]
    assert line.startswith("failed audit_end  Event 5, the newest one of clinic-")
    # A new event with the same number is not accepted instead.
    signed_in(audited, "admin")
    done = invoke("doctor", folder=folder, CLINIC_BACKUP_DIR=str(folder / "backups"))
    assert "failed audit_end" in done.stdout


def test_events_from_before_the_chain(folder: Path, audited: Engine) -> None:
    """Events from before the migration are kept, and changes of them are found."""
    schema.revert(audited, to="0007")
    schema.migrate(audited)
    assert doctor_checks(folder)["audit"][0] == "ok"
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


def test_removed_hashes_are_found(folder: Path, audited: Engine) -> None:
    """Events whose hashes were removed do not count as older events."""
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
    """SQLite's REPLACE deletes a row without its DELETE trigger; the INSERT trigger refuses it."""
    with pytest.raises(IntegrityError, match="only ever appended"), writing(audited) as session:
        session.connection().execute(text(statement))
    assert faults_of(folder) == ""


def test_concurrent_writers_make_one_chain(folder: Path, audited: Engine) -> None:
    """Eight concurrent writers with two engines make one chain without a gap."""
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
    """Events of a rolled-back or closed session are not recorded."""
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
    """Without the chain's secret recording an event fails, and writes nothing."""
    engine = open_database(url_of(folder))
    with pytest.raises(ChainNotOpen):
        set_status(engine, state="open")
    assert count(engine, AuditEvent) == 0
    engine.dispose()


def test_a_rotation_keeps_the_chain(folder: Path, audited: Engine) -> None:
    """A key rotation reseals the secret; the chain continues."""
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
    """A restored audit is complete, and new events continue its chain."""
    file = back_up(folder)
    with empty_folder_with_keys(database_kind, request, keyring_of=folder) as target:
        done = invoke("restore", str(file), "--confirm", "restore", folder=target)
        assert done.exit_code == 0, done.stderr
        assert faults_of(target) == ""
        engine = open_with_audit(target)
        signed_in(engine, "admin")
        assert count(engine, AuditEvent) == EVENTS + 1
        engine.dispose()
        assert faults_of(target) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DELETE FROM audit_secret", "a new one would hide changed events"),
        ("UPDATE audit_secret SET sealed = substr(sealed, 1, 60)", "cannot be opened"),
    ],
)
def test_a_lost_secret_is_not_replaced(
    folder: Path, audited: Engine, change: str, reason: str
) -> None:
    """If the secret is missing or damaged, nothing starts, and one line says what to do."""
    tamper(folder, change)
    with pytest.raises(CannotStart, match=reason):
        open_with_audit(folder)
    for command in (["serve"], ["keys", "add"], ["status", "set", "open"], ["requests", "purge"]):
        done = invoke(*command, folder=folder)
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), command
        assert reason in done.stderr
        assert "restore the table audit_secret from a backup" in done.stderr
    assert reason in doctor_checks(folder)["audit"][1]
    assert len(read_document(folder / "keyring.json").keys) == 1
    assert count(audited, AuditEvent) == EVENTS
