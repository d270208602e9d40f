"""Checks that the audit was not changed: each event by its hash, the newest one by a backup."""

import hmac
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from data.audit.chain import NO_EVENTS, Chain, add_to_origin
from data.database import reading
from models.audit import AuditEnd, AuditEvent

_PAGE_ROWS = 1000
_MAX_FAULTS = 20
# Raised for a column whose value has another type, or is not JSON or not UTF-8.
_UNREADABLE = (AttributeError, OperationalError, TypeError, ValueError)


@dataclass
class AuditReport:
    """The result of a check.

    `events` counts all events that were read, `from_before` those that are older than the chain.
    """

    events: int = 0
    from_before: int = 0
    # A sentence for each fault, at most `_MAX_FAULTS`.
    faults: list[str] = field(default_factory=list)

    def add(self, fault: str) -> None:
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(fault)


@dataclass(frozen=True)
class _ReadEvent:
    id: int
    # `None` if the event cannot be read.
    event: AuditEvent | None
    hash: bytes | None


def check_events(engine: Engine, *, chain: Chain) -> AuditReport:
    """Compares every event with its hash, and reports changed, removed and inserted events.

    It cannot detect that the newest events were removed. `is_missing` detects that with a backup.
    """
    report = AuditReport()
    origin, previous, number = NO_EVENTS, None, 0
    for found in _read_events(engine):
        report.events += 1
        if previous is None and found.hash is None:
            report.from_before += 1
            origin = _add(found, origin, report)
        else:
            if previous is None:
                _check_origin(origin, chain, report)
            _check_link(found, previous, number, chain, report)
            previous = found.hash or previous
        number = found.id
    if previous is None:
        _check_origin(origin, chain, report)
    return report


def _add(found: _ReadEvent, origin: bytes, report: AuditReport) -> bytes:
    """The digest of the events before the chain, after one more. Reports an unreadable event."""
    with suppress(*_UNREADABLE):
        if found.event is not None:
            return add_to_origin(origin, found.event)
    report.add(f"Event {found.id} was changed or inserted.")
    return origin


def _check_origin(origin: bytes, chain: Chain, report: AuditReport) -> None:
    if origin != chain.origin:
        report.add(
            f"One of the {report.from_before} oldest events, which have no hash, was changed, "
            "removed or inserted."
        )


def _check_link(
    found: _ReadEvent, previous: bytes | None, number: int, chain: Chain, report: AuditReport
) -> None:
    missing = range(number + 1, found.id)
    if len(missing) == 1:
        report.add(f"Event {missing[0]} is missing.")
    elif missing:
        report.add(f"Events {missing[0]} to {missing[-1]} are missing.")
    elif not _is_linked(found, previous, chain):
        report.add(f"Event {found.id} was changed or inserted.")


def _is_linked(found: _ReadEvent, previous: bytes | None, chain: Chain) -> bool:
    if found.event is None or found.hash is None:
        return False
    try:
        return hmac.compare_digest(chain.link(previous, found.event), found.hash)
    except _UNREADABLE:
        return False


def _read_events(engine: Engine) -> Iterator[_ReadEvent]:
    """All events in the order of their ids.

    Reads each page in its own transaction, because a reader blocks the writers of SQLite.
    """
    ids = select(AuditEvent.id).order_by(col(AuditEvent.id)).limit(_PAGE_ROWS)
    page = ids
    while True:
        with reading(engine) as session:
            found = [row_id for row_id in session.exec(page) if row_id is not None]
            rows = _read_page(session, found)
        yield from rows
        if len(found) < _PAGE_ROWS:
            return
        page = ids.where(col(AuditEvent.id) > found[-1])


def _read_page(session: Session, ids: list[int]) -> list[_ReadEvent]:
    if not ids:
        return []
    page = select(AuditEvent).where(col(AuditEvent.id).between(ids[0], ids[-1]))
    try:
        rows = session.exec(page.order_by(col(AuditEvent.id))).all()
    except _UNREADABLE:
        return [_read_one(session, row_id) for row_id in ids]
    return [_ReadEvent(row.id or 0, row, row.hash) for row in rows]


def _read_one(session: Session, row_id: int) -> _ReadEvent:
    """Reads one event alone, after reading its whole page has failed."""
    event, link = None, None
    try:
        link = session.exec(select(AuditEvent.hash).where(AuditEvent.id == row_id)).one()
        event = session.exec(select(AuditEvent).where(AuditEvent.id == row_id)).one()
    except _UNREADABLE:
        pass
    return _ReadEvent(row_id, event, link)


def find_end(connection: Connection) -> AuditEnd | None:
    """The newest event; `None` if there is none."""
    query = select(AuditEvent.id, AuditEvent.hash).order_by(col(AuditEvent.id).desc()).limit(1)
    row = connection.execute(query).first()
    return AuditEnd.of(*row) if row else None


def is_missing(connection: Connection, *, end: AuditEnd) -> bool:
    """Whether the database lacks the newest event of a backup, or has another one of its id."""
    query = select(AuditEvent.id, AuditEvent.hash).where(col(AuditEvent.id) == end.id)
    row = connection.execute(query).first()
    return row is None or AuditEnd.of(*row) != end
