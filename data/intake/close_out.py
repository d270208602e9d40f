"""Closes out the open requests of a clinic that is permanently closed."""

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.documents.status import find_status
from data.intake.inbox import raise_version, set_state
from data.intake.retention import Retention
from data.outbox import announce
from models.audit import SERVICE, Action
from models.consultation_request import FINAL_STATES, ConsultationRequest, RequestState
from models.delivery import EventType
from models.values import ClinicState

CLINIC_CLOSED = "clinic_permanently_closed"


def is_close_out_due(session: Session) -> bool:
    """Whether the clinic is permanently closed and a request is still open."""
    if find_status(session).state is not ClinicState.PERMANENTLY_CLOSED:
        return False
    still_open = select(ConsultationRequest.id).where(_is_open()).limit(1)
    return session.exec(still_open).first() is not None


def count_open(session: Session) -> int:
    """How many requests a permanent closure would close out now."""
    table = ConsultationRequest
    return session.exec(select(func.count()).select_from(table).where(_is_open())).one()


def close_out_where_closed(session: Session, *, retention: Retention, actor: str = SERVICE) -> int:
    """Closes out all open requests if the clinic is permanently closed; returns how many."""
    if not is_close_out_due(session):
        return 0
    rows = session.exec(select(ConsultationRequest).where(_is_open()).with_for_update()).all()
    for row in rows:
        set_state(row, state=RequestState.CLOSED_OUT, retention=retention)
        row.end_reason = CLINIC_CLOSED
        raise_version(session, row)
    announce(
        session,
        event=EventType.REQUEST_CHANGED,
        subjects=[row.id for row in rows],
        state=RequestState.CLOSED_OUT,
    )
    record_event(
        session,
        actor=actor,
        action=Action.REQUESTS_CLOSED_OUT,
        details={"count": len(rows), "reason": CLINIC_CLOSED},
    )
    session.flush()
    return len(rows)


def _is_open() -> ColumnElement[bool]:
    return col(ConsultationRequest.state).not_in(FINAL_STATES)
