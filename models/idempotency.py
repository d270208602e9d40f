"""Answers that are kept for those who ask again (the Idempotency-Key header)."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class IdempotencyRecord(SQLModel, table=True):
    """The first answer to a key, kept sealed so that it can be given again."""

    __tablename__ = "idempotency_record"

    key_digest: bytes = Field(primary_key=True)
    body_digest: bytes
    request_id: str = Field(foreign_key="consultation_request.id", index=True, max_length=36)
    sealed_answer: bytes
    expires_at: datetime = Field(index=True)
