"""Exports consultation requests as CSV (RFC 4180), to hand the records over."""

import csv
import io
import logging
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import chain

from sqlalchemy import tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from data.audit.events import record_event
from data.crypto import Keyring
from data.intake.opened_requests import OpenedRequest, open_parts
from data.write_queue import WriteQueue
from models.audit import Action, Details, listed
from models.consultation_request import ConsultationRequest, RequestState
from models.sent_request import ANSWERS, SentPublic

log = logging.getLogger("clinic_api")

COLUMNS = (
    "id", "state", "end_reason", "received_at", "updated_at", "retention_until", "assigned_to",
    "quarantined", *(name for name in SentPublic.model_fields if name != "shown"), "consents",
    "notes", "damaged",
)  # fmt: skip
_PAGE = 200
# A spreadsheet treats a cell that begins with one of these characters as a formula. Some also
# accept a variant of the character (Unicode NFKC), or invisible characters before it.
_FORMULA_SIGNS = set("=+-@\N{MINUS SIGN}")
_LINE_STARTS = ("\t", "\r", "\n")
# Letters and symbols that are invisible: the Hangul fillers and the blank Braille pattern.
_BLANK = set("\u115f\u1160\u3164\uffa0\u2800")


def export_requests(
    queue: WriteQueue, *, keyring: Keyring, actor: str, state: RequestState | None
) -> Iterator[str]:
    """CSV in pages, the oldest request first. Each page is one transaction with an audit event.

    The cells of a damaged value are empty, and the column `damaged` names the value. It waits for
    the queue of writers, so it must run in a thread.
    """
    after: tuple[datetime, str] | None = None
    yield _lines([COLUMNS])
    while True:
        query = _page_of(state, after)
        work = partial(_open_page, query, keyring, actor, is_first=after is None)
        opened = queue.write_from_thread(work)
        # A damaged request is reported here, and must not stop the export of the others.
        for broken in chain.from_iterable(one.damaged for one in opened):
            log.error("damaged: %s", broken)
        yield _lines(map(_cells, opened))
        if len(opened) < _PAGE:
            return
        after = (opened[-1].request.received_at, opened[-1].request.id)


def _page_of(
    state: RequestState | None, after: tuple[datetime, str] | None
) -> SelectOfScalar[ConsultationRequest]:
    key = (col(ConsultationRequest.received_at), col(ConsultationRequest.id))
    query = select(ConsultationRequest).order_by(*key).limit(_PAGE)
    if state is not None:
        query = query.where(ConsultationRequest.state == state)
    return query.where(tuple_(*key) > tuple_(*after)) if after else query


def _open_page(
    query: SelectOfScalar[ConsultationRequest],
    keyring: Keyring,
    actor: str,
    session: Session,
    *,
    is_first: bool,
) -> list[OpenedRequest]:
    rows = session.exec(query).all()
    if rows or is_first:
        details: Details = {"requests": listed(row.id for row in rows)}
        record_event(session, actor=actor, action=Action.REQUESTS_EXPORTED, details=details)
    return [open_parts(session, row=row, keyring=keyring) for row in rows]


def _cells(opened: OpenedRequest) -> tuple[str, ...]:
    request = opened.request
    values = request.model_dump(mode="json")
    sent = values.pop("sent") or {}
    given = [one for one in request.sent.shown if one.value is not None] if request.sent else []
    answers = [one for one in given if one.name.startswith(ANSWERS)]
    # Choices with the labels that the person saw.
    sent |= {one.name: one.value for one in given if one not in answers}
    sent["answers"] = "\n".join(f"{one.label}: {one.value}" for one in answers)
    values["consents"] = "\n".join(
        f"{consent.purpose}, version {consent.version}: {consent.text}"
        for consent in request.consents
    )
    values["notes"] = "\n".join(f"{note.author}: {note.text}" for note in request.notes)
    values["damaged"] = "\n".join(f"{broken.table} {broken.id}" for broken in opened.damaged)
    both = {**sent, **values}
    return tuple(_defused(both.get(column)) for column in COLUMNS)


def _defused(value: object) -> str:
    """The text of a cell. An apostrophe before it prevents that a spreadsheet sees a formula."""
    text = "" if value is None else str(value)
    first = next(filter(_is_visible, text), "")
    begins_formula = unicodedata.normalize("NFKC", first) in _FORMULA_SIGNS
    return f"'{text}" if begins_formula or text.lstrip(" ").startswith(_LINE_STARTS) else text


def _is_visible(character: str) -> bool:
    # Categories C, M and Z: controls and format characters, combining marks, spaces.
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK


def _lines(rows: object) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)  # type: ignore[arg-type] # an iterable of cells
    return file.getvalue()
