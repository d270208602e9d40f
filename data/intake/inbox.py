"""The inbox: consultation requests as staff lists, opens and moves them."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from data.audit import record_event
from data.crypto import Keyring, SealBroken
from data.intake.requests import list_consents, open_request
from data.intake.retention import Retention, retention_end
from data.outbox import announce
from data.paging import Cursor, Order, Page, read_page
from data.sealing_keys import register_key
from models.audit import Action, Details
from models.consultation_request import FINAL_STATES, ConsultationRequest, RequestState
from models.delivery import EventType
from models.inbox import (
    TRANSITIONS,
    GivenConsentPublic,
    NotePublic,
    RequestChange,
    RequestNote,
    RequestPublic,
    RequestSummary,
    SentPublic,
)
from models.values import utc_now

BY_STAFF = "staff"
_ORDER = Order(ConsultationRequest.received_at, ConsultationRequest.id, descending=True)


class TransitionNotAllowed(Exception):
    """The request cannot be moved there from where it is."""


class Withdrawn(Exception):
    """The request was withdrawn: nothing more is written about it."""


@dataclass(frozen=True)
class Filter:
    """Which requests to list; `None` leaves that side open."""

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
            # An empty name asks for those that nobody looks after.
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
    """The newest first."""
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
    """The row, which nobody else changes until the transaction ends."""
    return session.get(ConsultationRequest, request_id, with_for_update=True)


def read_request(
    session: Session, *, row: ConsultationRequest, keyring: Keyring, actor: str
) -> RequestPublic:
    """Everything about the request, opened; that it was read is written down.

    Raises `SealBroken` where part of it is damaged: staff must not take the rest for the whole.
    """
    record_event(session, actor=actor, action=Action.REQUEST_READ, subject=row.id)
    opened = open_whole(session, row=row, keyring=keyring)
    if opened.damaged:
        raise opened.damaged[0]
    return opened.request


@dataclass(frozen=True)
class OpenedRequest:
    """A request with everything in it that can be opened, and what cannot."""

    request: RequestPublic
    damaged: list[SealBroken]


def open_whole(session: Session, *, row: ConsultationRequest, keyring: Keyring) -> OpenedRequest:
    damaged: list[SealBroken] = []
    sent = None
    try:
        sent = open_request(row, keyring=keyring)
    except SealBroken as broken:
        damaged.append(broken)
    notes, damaged_notes = _open_notes(session, request_id=row.id, keyring=keyring)
    request = RequestPublic(
        **RequestSummary.model_validate(row).model_dump(),
        sent=SentPublic.model_validate(sent) if sent else None,
        consents=[
            GivenConsentPublic.model_validate(consent)
            for consent in list_consents(session, request_id=row.id)
        ],
        notes=notes,
        available_transitions=list(TRANSITIONS.get(RequestState(row.state), ())),
        quarantine_reasons=row.quarantine_reasons,
        possible_duplicates=_possible_duplicates(session, row),
    )
    return OpenedRequest(request, [*damaged, *damaged_notes])


def _open_notes(
    session: Session, *, request_id: str, keyring: Keyring
) -> tuple[list[NotePublic], list[SealBroken]]:
    rows = session.exec(
        select(RequestNote)
        .where(RequestNote.request_id == request_id)
        .order_by(col(RequestNote.written_at), col(RequestNote.id))
    )
    notes, damaged = [], []
    for row in rows:
        try:
            text = keyring.unseal(row.sealed, location=note_location(row.id)).decode()
        except SealBroken as broken:
            damaged.append(broken)
        else:
            notes.append(
                NotePublic(id=row.id, author=row.author, written_at=row.written_at, text=text)
            )
    return notes, damaged


def change_request(
    session: Session,
    *,
    row: ConsultationRequest,
    change: RequestChange,
    retention: Retention,
    actor: str,
) -> None:
    """Moves, assigns, quarantines; raises `TransitionNotAllowed`."""
    details: Details = {}
    if change.state is not None and change.state != row.state:
        if change.state not in TRANSITIONS.get(RequestState(row.state), ()):
            raise TransitionNotAllowed
        details |= {"from": row.state, "to": change.state}
        move(row, state=change.state, retention=retention)
        announce(session, event=EventType.REQUEST_CHANGED, subjects=[row.id], state=change.state)
    if change.assigned_to is not None and change.assigned_to != (row.assigned_to or ""):
        row.assigned_to = change.assigned_to or None
        details["assigned"] = bool(change.assigned_to)
    if change.quarantined is not None and change.quarantined is not row.quarantined:
        row.quarantined = change.quarantined
        details["quarantined"] = change.quarantined
        row.quarantine_reasons = [BY_STAFF] if change.quarantined else []
    if details:
        touch(session, row)
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
    """Writes a note, sealed; raises `Withdrawn`."""
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
    touch(session, row)
    record_event(session, actor=actor, action=Action.REQUEST_NOTED, subject=row.id)


def move(row: ConsultationRequest, *, state: RequestState, retention: Retention) -> None:
    row.state, row.state_changed_at = state, utc_now()
    if state in FINAL_STATES:
        row.retention_until = retention_end(state, since=row.state_changed_at, retention=retention)


def touch(session: Session, row: ConsultationRequest) -> None:
    row.version += 1
    row.updated_at = utc_now()
    session.add(row)
    session.flush()


def note_location(note_id: str) -> str:
    return f"request_note.sealed:{note_id}"


def _possible_duplicates(session: Session, row: ConsultationRequest) -> list[str]:
    table = ConsultationRequest
    same = [
        column == digest
        for column, digest in (
            (col(table.email_digest), row.email_digest),
            (col(table.phone_digest), row.phone_digest),
        )
        if digest is not None
    ]
    if not same:
        return []
    ids = session.exec(
        select(table.id)
        .where(or_(*same), table.id != row.id, col(table.state).not_in(FINAL_STATES))
        .order_by(col(table.received_at).desc())
        .limit(20)
    )
    return list(ids)
