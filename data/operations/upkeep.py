"""What falls due by itself: erasing what was kept long enough, ending what a closed clinic left."""

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.database import hold, reading, writing
from data.documents.status import CLINIC_STATE
from data.intake.closing import close_out_where_closed, is_close_out_due
from data.intake.retention import Retention, purge
from data.outbox import old_deliveries
from data.sent_letters import old_letters
from models.consultation_request import ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.values import utc_now


def keep_up(engine: Engine, *, retention: Retention) -> None:
    """Does what is due now; looks first, so that mostly nothing is locked."""
    with reading(engine) as session:
        is_closing, is_purging = is_close_out_due(session), _is_purge_due(session)
    if is_closing:
        with writing(engine) as session:
            hold(session.connection(), CLINIC_STATE)
            close_out_where_closed(session, retention=retention)
    while is_purging:
        with writing(engine) as session:
            hold(session.connection(), b"upkeep")
            is_purging = purge(session) > 0


def _is_purge_due(session: Session) -> bool:
    now = utc_now()
    requests = select(ConsultationRequest.id).where(col(ConsultationRequest.retention_until) <= now)
    answers = select(IdempotencyRecord.request_id).where(col(IdempotencyRecord.expires_at) <= now)
    due = (requests, answers, old_deliveries(), old_letters())
    return any(session.exec(query.limit(1)).first() for query in due)
