"""Stored answers for repeated requests (the header `Idempotency-Key`)."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class IdempotencyRecord(SQLModel, table=True):
    """The first answer to a key, sealed, so that it can be sent again."""

    __tablename__ = "idempotency_record"

    key_digest: bytes = Field(primary_key=True)
    body_digest: bytes
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    sealed_answer: bytes
    expires_at: datetime = Field(index=True)
