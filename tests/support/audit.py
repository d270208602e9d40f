"""Helpers for tests that write to the audit, check it, or tamper with it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from api.server import open_audit
from data.database import open_database
from models.audit import AuditEvent
from tests.support.apps import settings_in
from tests.support.commands import invoke
from tests.support.databases import administer, kind_of, url_of


def open_with_audit(folder: Path) -> Engine:
    """The engine of a folder's database, with the keys that recording audit events needs."""
    engine = open_database(url_of(folder))
    try:
        open_audit(engine, settings_in(folder))
    except BaseException:
        engine.dispose()
        raise
    return engine


def doctor_checks(folder: Path) -> dict[str, tuple[str, str]]:
    """Runs `doctor`: the status and the detail of each check, by its name."""
    done = invoke("doctor", "--json", folder=folder)
    return {
        check["name"]: (check["status"], check["detail"])
        for check in json.loads(done.stdout)["checks"]
    }


def tamper(folder: Path, *statements: str) -> None:
    """Runs SQL after removing the audit's triggers, as an attacker with write access could."""
    if kind_of(folder) == "postgresql":
        administer(url_of(folder), "ALTER TABLE audit_event DISABLE TRIGGER ALL", *statements)
        return
    with closing(sqlite3.connect(folder / "clinic.db", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def document_events(engine: Engine, subject: str) -> list[tuple[str, dict[str, Any]]]:
    """Action and details of the audit events about a document, without times."""
    with Session(engine) as session:
        rows = session.exec(
            select(AuditEvent).where(AuditEvent.subject == subject).order_by("id")
        ).all()
    return [(row.action, {k: v for k, v in row.details.items() if k != "from"}) for row in rows]
