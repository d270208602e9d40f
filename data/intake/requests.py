"""Stores and finds consultation requests."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
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
from models.consultation_form import FormContent, FormVersion
from models.consultation_request import (
    FINAL_STATES,
    Consent,
    ConsultationRequest,
    ConsultationRequestAccepted,
    NextStepPublic,
    RequestState,
)
from models.delivery import Channel, EventType
from models.form_fields import CONSENT_TO_CONTACT
from models.sent_request import ConsultationRequestCreate
from models.status import ClinicStatus
from models.values import ClinicState, ConsultationMode, utc_now

_TOKEN_BYTES = 32
# A person needs longer to fill in the form; a bot does not.
_MIN_SECONDS_TO_COMPLETE = 3


@dataclass(frozen=True)
class NewRequest:
    """A valid request that is not stored yet; `attempt` is `None` without an idempotency key."""

    request: ConsultationRequestCreate
    attempt: Attempt | None = None


def record_requests(
    session: Session,
    *,
    new_requests: Sequence[NewRequest],
    status: ClinicStatus,
    current: FormVersion,
    forms: Mapping[int, FormVersion],
    keyring: Keyring,
    emails: Collection[Channel] = (),
) -> list[ConsultationRequestAccepted]:
    """Stores requests with their consents, answers and outbox rows; returns the answers.

    `forms` has the forms that the requests name, by version. The next step is of the `current` one.
    `emails` are the channels to notify by e-mail. Raises `KeyringFault`.
    """
    if not new_requests:
        return []
    keyring = register_key(session, keyring)
    has_waitlist = status.mode is ConsultationMode.WAITLIST
    state = RequestState.WAITLISTED if has_waitlist else RequestState.RECEIVED
    rows = [_row(new.request, state, keyring) for new in new_requests]
    tokens = [secrets.token_urlsafe(_TOKEN_BYTES) for _ in new_requests]
    for row, token in zip(rows, tokens, strict=True):
        row["receipt_hash"] = _hash(token)
    connection = session.connection()
    connection.execute(insert(ConsultationRequest), rows)
    connection.execute(insert(Consent), _consents(rows, new_requests, forms))
    step = next_step(state, status=status, form=current.content)
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
    for new, answer in zip(new_requests, answers, strict=True):
        if new.attempt:
            record_answer(session, attempt=new.attempt, answer=answer, keyring=keyring)
    receipts = ReceiptTokens({answer.id: answer.receipt_token for answer in answers}, keyring)
    _announce(session, rows, new_requests, emails, receipts)
    session.flush()
    return answers


def _consents(
    rows: list[dict[str, Any]],
    new_requests: Sequence[NewRequest],
    forms: Mapping[int, FormVersion],
) -> list[dict[str, Any]]:
    return [
        {
            "request_id": row["id"],
            "purpose": consent.purpose,
            "version": consent.version,
            "text": consent.text,
            "given_at": row["received_at"],
        }
        for row, new in zip(rows, new_requests, strict=True)
        for consent in forms[new.request.form_version].content.consents
        if consent.field == CONSENT_TO_CONTACT or (new.request.consents or {}).get(consent.field)
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
    new_requests: Sequence[NewRequest],
    emails: Collection[Channel],
    receipts: ReceiptTokens,
) -> None:
    ids_by_channels: dict[tuple[Channel, ...], list[str]] = {}
    for row, new in zip(rows, new_requests, strict=True):
        # No confirmation for suspected spam: a bot could make the service write to strangers.
        confirms = new.request.email and not row["quarantined"]
        channels = tuple(c for c in emails if confirms or c is not Channel.SUBMITTER_EMAIL)
        ids_by_channels.setdefault(channels, []).append(row["id"])
    for channels, ids in ids_by_channels.items():
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
    seconds = request.seconds_to_complete
    if seconds is not None and seconds < _MIN_SECONDS_TO_COMPLETE:
        reasons.append("too_fast")
    return reasons


def find_request_by_receipt(
    session: Session, *, request_id: str, token: str | None
) -> ConsultationRequest | None:
    """The request of this id, if the token is the one of its receipt.

    A comparison runs for unknown ids too, so that the time does not show whether an id exists.
    """
    row = session.get(ConsultationRequest, request_id)
    expected = row.receipt_hash if row else bytes(hashlib.sha256().digest_size)
    matches = hmac.compare_digest(expected, _hash(token or ""))
    return row if matches else None


def next_step(state: str, *, status: ClinicStatus, form: FormContent) -> NextStepPublic:
    """The next step of a request. For an open one, it depends on the clinic's state."""
    is_open = state not in FINAL_STATES
    is_halted = status.state is not ClinicState.OPEN and not status.accepting
    code = f"clinic_{status.state}" if is_open and is_halted else str(state)
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
