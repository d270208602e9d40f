"""Whether the audit is as it was recorded: each event by its hash, the newest one by a backup."""

import hmac
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from data.audit_chain import NO_EVENTS, Chain, add_to_origin
from data.database import reading
from models.audit import AuditEnd, AuditEvent

_AT_ONCE = 1000
_MOST_FAULTS = 20
# What a column raises whose value is of another type, or no JSON, or no UTF-8 text.
_UNREADABLE = (AttributeError, OperationalError, TypeError, ValueError)


@dataclass
class AuditReport:
    """How many events were read, how many of them are older than the chain, and what is wrong."""

    events: int = 0
    from_before: int = 0
    # A sentence for each, the first 20 of them.
    faults: list[str] = field(default_factory=list)

    def add(self, fault: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)


@dataclass(frozen=True)
class _Found:
    id: int
    # `None` where it cannot be read.
    event: AuditEvent | None
    hash: bytes | None


def check_events(engine: Engine, *, chain: Chain) -> AuditReport:
    """Compares every event with its hash, and names those that were changed, removed or put in.

    It does not find that the newest events were removed: `is_missing` does, with a backup.
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


def _add(found: _Found, origin: bytes, report: AuditReport) -> bytes:
    with suppress(*_UNREADABLE):
        if found.event is not None:
            return add_to_origin(origin, found.event)
    report.add(f"Event {found.id} was changed or put in.")
    return origin


def _check_origin(origin: bytes, chain: Chain, report: AuditReport) -> None:
    if origin != chain.origin:
        report.add(
            f"One of the {report.from_before} oldest events, which have no hash, was changed, "
            "removed or put in."
        )


def _check_link(
    found: _Found, previous: bytes | None, number: int, chain: Chain, report: AuditReport
) -> None:
    missing = range(number + 1, found.id)
    if len(missing) == 1:
        report.add(f"Event {missing[0]} is missing.")
    elif missing:
        report.add(f"Events {missing[0]} to {missing[-1]} are missing.")
    elif not _is_linked(found, previous, chain):
        report.add(f"Event {found.id} was changed or put in.")


def _is_linked(found: _Found, previous: bytes | None, chain: Chain) -> bool:
    if found.event is None or found.hash is None:
        return False
    try:
        return hmac.compare_digest(chain.link(previous, found.event), found.hash)
    except _UNREADABLE:
        return False


def _read_events(engine: Engine) -> Iterator[_Found]:
    """Every event in the order of their ids.

    In pages with a transaction each, since SQLite takes no write while a transaction reads.
    """
    ids = select(AuditEvent.id).order_by(col(AuditEvent.id)).limit(_AT_ONCE)
    page = ids
    while True:
        with reading(engine) as session:
            found = [row_id for row_id in session.exec(page) if row_id is not None]
            rows = _read_page(session, found)
        yield from rows
        if len(found) < _AT_ONCE:
            return
        page = ids.where(col(AuditEvent.id) > found[-1])


def _read_page(session: Session, ids: list[int]) -> list[_Found]:
    if not ids:
        return []
    page = select(AuditEvent).where(col(AuditEvent.id).between(ids[0], ids[-1]))
    try:
        rows = session.exec(page.order_by(col(AuditEvent.id))).all()
    except _UNREADABLE:
        return [_read_one(session, row_id) for row_id in ids]
    return [_Found(row.id or 0, row, row.hash) for row in rows]


def _read_one(session: Session, row_id: int) -> _Found:
    """One event of a page in which one cannot be read."""
    event, link = None, None
    try:
        link = session.exec(select(AuditEvent.hash).where(AuditEvent.id == row_id)).one()
        event = session.exec(select(AuditEvent).where(AuditEvent.id == row_id)).one()
    except _UNREADABLE:
        pass
    return _Found(row_id, event, link)


def find_end(connection: Connection) -> AuditEnd | None:
    """The newest event; `None` where there is none."""
    query = select(AuditEvent.id, AuditEvent.hash).order_by(col(AuditEvent.id).desc()).limit(1)
    row = connection.execute(query).first()
    return AuditEnd.of(*row) if row else None


def is_missing(connection: Connection, *, end: AuditEnd) -> bool:
    """Whether the newest event of a backup is not in the database, or is another one there."""
    query = select(AuditEvent.id, AuditEvent.hash).where(col(AuditEvent.id) == end.id)
    row = connection.execute(query).first()
    return row is None or AuditEnd.of(*row) != end
