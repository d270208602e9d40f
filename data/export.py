"""Consultation requests as CSV (RFC 4180), for whoever takes the records over."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine, tuple_
from sqlmodel import col, select

from data.audit import record_event
from data.crypto import Keyring
from data.database import writing
from data.inbox import open_whole
from models.audit import Action, listed
from models.consultation_request import ConsultationRequest, RequestState
from models.inbox import RequestPublic

COLUMNS = (
    "id", "state", "end_reason", "received_at", "updated_at", "retention_until", "assigned_to",
    "quarantined", "name", "email", "phone", "preferred_contact", "may_leave_voicemail",
    "best_time", "topic", "message", "form_version", "consents", "notes",
)  # fmt: skip
_PAGE = 200
# A spreadsheet takes a cell that begins like this for a formula; some look through the full-width
# twins, and through what stands before them.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def export_requests(
    engine: Engine, *, keyring: Keyring, actor: str, state: RequestState | None
) -> Iterator[str]:
    """CSV in pages, the oldest request first; each page is one transaction, with its audit."""
    after: tuple[datetime, str] | None = None
    place = tuple_(col(ConsultationRequest.received_at), col(ConsultationRequest.id))
    yield _lines([COLUMNS])
    while True:
        query = select(ConsultationRequest).order_by(
            col(ConsultationRequest.received_at), col(ConsultationRequest.id)
        )
        if state is not None:
            query = query.where(ConsultationRequest.state == state)
        if after is not None:
            query = query.where(place > tuple_(*after))
        with writing(engine) as session:
            rows = session.exec(query.limit(_PAGE)).all()
            lines = _lines(_cells(open_whole(session, row=row, keyring=keyring)) for row in rows)
            if rows or after is None:
                record_event(
                    session,
                    actor=actor,
                    action=Action.REQUESTS_EXPORTED,
                    details={"requests": listed(row.id for row in rows)},
                )
            after = (rows[-1].received_at, rows[-1].id) if rows else None
        yield lines
        if len(rows) < _PAGE:
            return


def _cells(request: RequestPublic) -> tuple[str, ...]:
    values = request.model_dump(mode="json")
    sent = values.pop("sent") or {}
    values["consents"] = "\n".join(
        f"{consent.purpose}, version {consent.version}: {consent.text}"
        for consent in request.consents
    )
    values["notes"] = "\n".join(f"{note.author}: {note.text}" for note in request.notes)
    both = {**sent, **values}
    return tuple(_defused(both.get(column)) for column in COLUMNS)


def _defused(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def _lines(rows: object) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)  # type: ignore[arg-type] # an iterable of cells
    return file.getvalue()
