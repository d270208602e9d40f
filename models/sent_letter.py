"""The letters that were sent to mailboxes in the last 24 hours."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SentLetter(SQLModel, table=True):
    """One letter to a person outside the clinic, without the address and without the request."""

    __tablename__ = "sent_letter"

    id: int | None = Field(default=None, primary_key=True)
    # A keyed digest: without the key, an address cannot be found by trying many addresses.
    mailbox_digest: bytes = Field(index=True)
    sent_at: datetime = Field(index=True)
