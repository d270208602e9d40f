"""How many letters a mailbox was sent today."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SentLetter(SQLModel, table=True):
    """One letter to somebody outside the clinic. It names neither the address nor the request."""

    __tablename__ = "sent_letter"

    id: int | None = Field(default=None, primary_key=True)
    # Keyed: an address cannot be found by trying.
    mailbox_digest: bytes = Field(index=True)
    sent_at: datetime = Field(index=True)
