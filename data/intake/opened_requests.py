"""Opens consultation requests for the staff: the sealed document and the sealed notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.crypto import Keyring, SealBroken
from data.documents.form import find_form_by_number
from data.intake.requests import list_consents
from data.intake.sealed import note_location, open_request
from models.audit import Action
from models.consultation_form import FormVersion
from models.consultation_request import FINAL_STATES, ConsultationRequest, RequestState
from models.inbox import (
    TRANSITIONS,
    GivenConsentPublic,
    NotePublic,
    RequestNote,
    RequestPublic,
    RequestSummary,
)
from models.sent_request import SentPublic
from models.shown_request import sent_public


def read_request(
    session: Session, *, row: ConsultationRequest, keyring: Keyring, actor: str
) -> RequestPublic:
    """The opened request. Records an audit event.

    Raises `SealBroken` if a part is damaged: staff must not take the other parts for all of it.
    """
    record_event(session, actor=actor, action=Action.REQUEST_READ, subject=row.id)
    opened = open_parts(session, row=row, keyring=keyring)
    if opened.damaged:
        raise opened.damaged[0]
    return opened.request


@dataclass(frozen=True)
class OpenedRequest:
    """An opened request. It lacks the parts in `damaged`, which could not be opened."""

    request: RequestPublic
    damaged: list[SealBroken]


def open_parts(session: Session, *, row: ConsultationRequest, keyring: Keyring) -> OpenedRequest:
    """Opens the document and all notes of a request; damaged parts do not stop it."""
    damaged: list[SealBroken] = []
    sent = None
    try:
        sent = open_request(row, keyring=keyring)
    except SealBroken as broken:
        damaged.append(broken)
    notes, damaged_notes = _open_notes(session, request_id=row.id, keyring=keyring)
    request = RequestPublic(
        **RequestSummary.model_validate(row).model_dump(),
        sent=_sent_public(session, sent) if sent else None,
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


def _sent_public(session: Session, sent: Mapping[str, Any]) -> SentPublic:
    # An export opens many requests with the same version, and a version never changes.
    known: dict[int, FormVersion | None] = session.info.setdefault("forms", {})
    version = sent["form_version"]
    if version not in known:
        known[version] = find_form_by_number(session, version=version)
    form = known[version]
    return sent_public(sent, form=form.content if form else None)


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


def _possible_duplicates(session: Session, row: ConsultationRequest) -> list[str]:
    """Ids of open requests with the same e-mail address or phone number, at most 20."""
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
