"""The inbox: lists consultation requests for the staff, and records what staff changes."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from data.audit.events import record_event
from data.crypto import Keyring
from data.intake.retention import Retention, retention_end
from data.intake.sealed import note_location
from data.outbox import announce
from data.paging import Cursor, Order, Page, read_page
from data.sealing_keys import register_key
from models.audit import Action, Details
from models.consultation_request import FINAL_STATES, ConsultationRequest, RequestState
from models.delivery import EventType
from models.inbox import (
    TRANSITIONS,
    RequestChange,
    RequestNote,
    RequestSummary,
)
from models.values import utc_now

BY_STAFF = "staff"
_ORDER = Order(ConsultationRequest.received_at, ConsultationRequest.id, descending=True)


class TransitionNotAllowed(Exception):
    """The request cannot go from its state to the wanted state."""


class Withdrawn(Exception):
    """The request was withdrawn, so no note may be added."""


@dataclass(frozen=True)
class Filter:
    """Which requests to list. `None` means: do not filter by this field."""

    state: RequestState | None = None
    assigned_to: str | None = None
    quarantined: bool | None = None
    older_than_days: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        table = ConsultationRequest
        wanted = []
        if self.state is not None:
            wanted.append(col(table.state) == self.state)
        if self.assigned_to is not None:
            # An empty name selects the requests without an assignee.
            wanted.append(col(table.assigned_to) == (self.assigned_to or None))
        if self.quarantined is not None:
            wanted.append(col(table.quarantined).is_(self.quarantined))
        if self.older_than_days is not None:
            since = utc_now() - timedelta(days=self.older_than_days)
            wanted.append(col(table.received_at) <= since)
        return wanted


def list_inbox(
    session: Session, *, wanted: Filter, limit: int, after: Cursor | None
) -> Page[RequestSummary]:
    """A page of the requests that match, the newest first."""
    page = read_page(
        session,
        ConsultationRequest,
        wanted=wanted.conditions(),
        order=_ORDER,
        limit=limit,
        after=after,
    )
    return page.with_items([RequestSummary.model_validate(row) for row in page.items])


def find_for_change(session: Session, *, request_id: str) -> ConsultationRequest | None:
    """The row, locked until the transaction ends; `None` for an unknown id."""
    return session.get(ConsultationRequest, request_id, with_for_update=True)


def change_request(
    session: Session,
    *,
    row: ConsultationRequest,
    change: RequestChange,
    retention: Retention,
    actor: str,
) -> None:
    """Changes the state, the assignee or the quarantine. Raises `TransitionNotAllowed`."""
    details: Details = {}
    if change.state is not None and change.state != row.state:
        if change.state not in TRANSITIONS.get(RequestState(row.state), ()):
            raise TransitionNotAllowed
        details |= {"from": row.state, "to": change.state}
        set_state(row, state=change.state, retention=retention)
        announce(session, event=EventType.REQUEST_CHANGED, subjects=[row.id], state=change.state)
    if change.assigned_to is not None and change.assigned_to != (row.assigned_to or ""):
        row.assigned_to = change.assigned_to or None
        details["assigned"] = bool(change.assigned_to)
    if change.quarantined is not None and change.quarantined is not row.quarantined:
        row.quarantined = change.quarantined
        details["quarantined"] = change.quarantined
        row.quarantine_reasons = [BY_STAFF] if change.quarantined else []
    if details:
        raise_version(session, row)
        record_event(
            session,
            actor=actor,
            action=Action.REQUEST_CHANGED,
            subject=row.id,
            details=details,
        )


def add_note(
    session: Session,
    *,
    row: ConsultationRequest,
    text: str,
    author: str,
    keyring: Keyring,
    actor: str,
) -> None:
    """Stores a note, sealed. Raises `Withdrawn` or `KeyringFault`."""
    if row.state == RequestState.WITHDRAWN:
        raise Withdrawn
    note_id = str(uuid.uuid4())
    keyring = register_key(session, keyring)
    session.add(
        RequestNote(
            id=note_id,
            request_id=row.id,
            author=author,
            written_at=utc_now(),
            sealed=keyring.seal(text.encode(), location=note_location(note_id)),
        )
    )
    raise_version(session, row)
    record_event(session, actor=actor, action=Action.REQUEST_NOTED, subject=row.id)


def set_state(row: ConsultationRequest, *, state: RequestState, retention: Retention) -> None:
    """Sets the state; for a final state also the time of the erasure, by `retention`."""
    row.state, row.state_changed_at = state, utc_now()
    if state in FINAL_STATES:
        row.retention_until = retention_end(state, since=row.state_changed_at, retention=retention)


def raise_version(session: Session, row: ConsultationRequest) -> None:
    """Raises the version of the row, and writes the row."""
    row.version += 1
    row.updated_at = utc_now()
    session.add(row)
    session.flush()
