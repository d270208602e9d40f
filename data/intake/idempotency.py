"""Stores answers, so that a client can safely send a request again (Idempotency-Key)."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from data.crypto import Keyring
from data.database import take_lock
from models.consultation_request import ConsultationRequestAccepted
from models.idempotency import IdempotencyRecord
from models.values import utc_now

_RETENTION = timedelta(days=30)


@dataclass(frozen=True)
class Attempt:
    """The key and the body of one call, as keyed digests: one for each sealing key."""

    key_digests: list[bytes]
    body_digests: list[bytes]

    @classmethod
    def of(cls, keyring: Keyring, *, key: str, body: bytes) -> "Attempt":
        return cls(
            keyring.digests("idempotency-key", key.encode()),
            keyring.digests("request-body", body),
        )


@dataclass(frozen=True)
class Replayed:
    """The stored answer to the same request, byte for byte."""

    answer: bytes


@dataclass(frozen=True)
class KeyReused:
    """The key was used before, with another body."""


def find_answer(
    session: Session, *, attempt: Attempt, keyring: Keyring
) -> Replayed | KeyReused | None:
    """The stored answer to the key, `None` if the key is new. Raises `SealBroken`."""
    record = session.exec(
        select(IdempotencyRecord)
        .where(col(IdempotencyRecord.key_digest).in_(attempt.key_digests))
        .where(col(IdempotencyRecord.expires_at) > utc_now())
    ).first()
    if record is None:
        return None
    if not any(hmac.compare_digest(record.body_digest, d) for d in attempt.body_digests):
        return KeyReused()
    location = _answer_location(record.key_digest)
    return Replayed(keyring.unseal(record.sealed_answer, location=location))


def lock_attempts(session: Session, *, attempts: Iterable[Attempt]) -> None:
    """Locks the keys until the transaction ends, so that no other process answers them."""
    # Every process locks in the same order, so that two of them cannot deadlock.
    for digest in sorted(attempt.key_digests[0] for attempt in attempts):
        take_lock(session.connection(), digest)


def record_answer(
    session: Session,
    *,
    attempt: Attempt,
    answer: ConsultationRequestAccepted,
    keyring: Keyring,
) -> None:
    """Stores the answer, sealed, for 30 days, and deletes answers that have expired."""
    now = utc_now()
    connection = session.connection()
    connection.execute(delete(IdempotencyRecord).where(col(IdempotencyRecord.expires_at) <= now))
    key_digest = attempt.key_digests[0]
    content = answer.model_dump_json().encode()
    session.add(
        IdempotencyRecord(
            key_digest=key_digest,
            body_digest=attempt.body_digests[0],
            request_id=answer.id,
            sealed_answer=keyring.seal(content, location=_answer_location(key_digest)),
            expires_at=now + _RETENTION,
        )
    )


def _answer_location(key_digest: bytes) -> str:
    return f"idempotency_record.sealed_answer:{key_digest.hex()}"
