"""Withdraws a consultation request for the person who sent it."""

from sqlalchemy import delete
from sqlmodel import Session, col

from data.audit.events import record_event
from data.intake.retention import Retention, retention_end
from data.letter_receipts import forget_receipts
from data.outbox import announce
from models.audit import SUBMITTER, Action
from models.consultation_request import ConsultationRequest, RequestState
from models.delivery import EventType
from models.inbox import RequestNote
from models.values import utc_now


class RecordOfCare(Exception):
    """The request is completed. It is part of the medical records, and cannot be withdrawn."""


def withdraw_request(
    session: Session, *, request_id: str, retention: Retention
) -> ConsultationRequest | None:
    """Ends the request, and erases what the person sent and the notes of the staff.

    A second call changes nothing. Returns `None` for an unknown id. Raises `RecordOfCare`.
    """
    row = session.get(ConsultationRequest, request_id, with_for_update=True, populate_existing=True)
    if row is None or row.state == RequestState.WITHDRAWN:
        return row
    if row.state == RequestState.COMPLETED:
        raise RecordOfCare
    now = utc_now()
    row.state, row.end_reason = RequestState.WITHDRAWN, None
    row.sealed = row.email_digest = row.phone_digest = None
    row.updated_at = row.state_changed_at = now
    row.retention_until = retention_end(RequestState.WITHDRAWN, since=now, retention=retention)
    row.version += 1
    session.connection().execute(delete(RequestNote).where(col(RequestNote.request_id) == row.id))
    forget_receipts(session, request_id=row.id)
    record_event(session, actor=SUBMITTER, action=Action.REQUEST_WITHDRAWN, subject=row.id)
    announce(session, event=EventType.REQUEST_WITHDRAWN, subjects=[row.id], state=row.state)
    session.add(row)
    session.flush()
    return row
