"""Consultation requests in the database."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from data.crypto import Keyring
from data.intake.idempotency import Attempt, record_answer
from data.intake.sealed import contact_digests, document_of, request_location
from data.letter_receipts import ReceiptTokens
from data.outbox import announce
from data.sealing_keys import register_key
from models.consultation_form import ConsultationFormCreate
from models.consultation_request import (
    FINAL_STATES,
    Consent,
    ConsultationRequest,
    ConsultationRequestAccepted,
    ConsultationRequestCreate,
    NextStepPublic,
    RequestState,
)
from models.delivery import Channel, EventType
from models.status import ClinicStatus
from models.status_change import ConsultationMode
from models.values import ClinicState, utc_now

_TOKEN_BYTES = 32
# Nobody fills in the form faster.
_FEWEST_SECONDS = 3


@dataclass(frozen=True)
class Sending:
    """A request that was checked, and the attempt under which it came."""

    request: ConsultationRequestCreate
    attempt: Attempt | None = None


def record_requests(
    session: Session,
    *,
    sendings: Sequence[Sending],
    status: ClinicStatus,
    form: ConsultationFormCreate,
    keyring: Keyring,
    emails: Collection[Channel] = (),
) -> list[ConsultationRequestAccepted]:
    """Writes the requests, their consents, their answers and whom to tell of them by e-mail."""
    if not sendings:
        return []
    keyring = register_key(session, keyring)
    waits = status.mode is ConsultationMode.WAITLIST
    state = RequestState.WAITLISTED if waits else RequestState.RECEIVED
    rows = [_row(sending.request, state, keyring) for sending in sendings]
    tokens = [secrets.token_urlsafe(_TOKEN_BYTES) for _ in sendings]
    for row, token in zip(rows, tokens, strict=True):
        row["receipt_hash"] = _hash(token)
    connection = session.connection()
    connection.execute(insert(ConsultationRequest), rows)
    connection.execute(insert(Consent), _consents(rows, sendings, form))
    step = next_step(state, status=status, form=form)
    answers = [
        ConsultationRequestAccepted(
            id=row["id"],
            state=state,
            receipt_token=token,
            received_at=row["received_at"],
            retention_until=None,
            next_step=step,
        )
        for row, token in zip(rows, tokens, strict=True)
    ]
    for sending, answer in zip(sendings, answers, strict=True):
        if sending.attempt:
            record_answer(session, attempt=sending.attempt, answer=answer, keyring=keyring)
    receipts = ReceiptTokens({answer.id: answer.receipt_token for answer in answers}, keyring)
    _announce(session, rows, sendings, emails, receipts)
    session.flush()
    return answers


def _consents(
    rows: list[dict[str, Any]], sendings: Sequence[Sending], form: ConsultationFormCreate
) -> list[dict[str, Any]]:
    return [
        {
            "request_id": row["id"],
            "purpose": consent.purpose,
            "version": consent.version,
            "text": consent.text,
            "given_at": row["received_at"],
        }
        for row, sending in zip(rows, sendings, strict=True)
        for consent in form.consents
        if getattr(sending.request, consent.field)
    ]


def _row(
    request: ConsultationRequestCreate, state: RequestState, keyring: Keyring
) -> dict[str, Any]:
    now = utc_now()
    request_id = str(uuid.uuid4())
    reasons = _quarantine_reasons(request)
    email_digest, phone_digest = contact_digests(keyring, email=request.email, phone=request.phone)
    return {
        "id": request_id,
        "state": state,
        "end_reason": None,
        "received_at": now,
        "updated_at": now,
        "state_changed_at": now,
        "retention_until": None,
        "version": 1,
        "assigned_to": None,
        "quarantined": bool(reasons),
        "quarantine_reasons": reasons,
        "email_digest": email_digest,
        "phone_digest": phone_digest,
        "sealed": keyring.seal(document_of(request), location=request_location(request_id)),
    }


def _announce(
    session: Session,
    rows: Sequence[dict[str, Any]],
    sendings: Sequence[Sending],
    emails: Collection[Channel],
    receipts: ReceiptTokens,
) -> None:
    told: dict[tuple[Channel, ...], list[str]] = {}
    for row, sending in zip(rows, sendings, strict=True):
        # A program must not make the service write to whomever it likes.
        confirms = sending.request.email and not row["quarantined"]
        wanted = tuple(c for c in emails if confirms or c is not Channel.SUBMITTER_EMAIL)
        told.setdefault(wanted, []).append(row["id"])
    for channels, ids in told.items():
        announce(
            session,
            event=EventType.REQUEST_RECEIVED,
            subjects=ids,
            state=rows[0]["state"],
            emails=channels,
            receipts=receipts,
        )


def _quarantine_reasons(request: ConsultationRequestCreate) -> list[str]:
    reasons = []
    if request.website:
        reasons.append("honeypot")
    if request.seconds_to_complete is not None and request.seconds_to_complete < _FEWEST_SECONDS:
        reasons.append("too_fast")
    return reasons


def find_request_by_receipt(
    session: Session, *, request_id: str, token: str | None
) -> ConsultationRequest | None:
    """The request, if the token is its receipt's; as slow when it is not."""
    row = session.get(ConsultationRequest, request_id)
    expected = row.receipt_hash if row else bytes(hashlib.sha256().digest_size)
    matches = hmac.compare_digest(expected, _hash(token or ""))
    return row if matches else None


def next_step(state: str, *, status: ClinicStatus, form: ConsultationFormCreate) -> NextStepPublic:
    """What happens now; a request that is still under way follows the clinic's state."""
    under_way = state not in FINAL_STATES
    halted = status.state is not ClinicState.OPEN and not status.accepting
    code = f"clinic_{status.state}" if under_way and halted else str(state)
    return NextStepPublic(code=code, text=form.next_steps[code])


def list_requests(session: Session) -> list[ConsultationRequest]:
    """All requests, the newest first."""
    query = select(ConsultationRequest).order_by(
        col(ConsultationRequest.received_at).desc(), col(ConsultationRequest.id)
    )
    return list(session.exec(query))


def find_request(session: Session, *, request_id: str) -> ConsultationRequest | None:
    return session.get(ConsultationRequest, request_id)


def list_consents(session: Session, *, request_id: str) -> list[Consent]:
    query = select(Consent).where(Consent.request_id == request_id).order_by(col(Consent.id))
    return list(session.exec(query))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
