"""Which keys the data was sealed with."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SealingKey(SQLModel, table=True):
    """A key that something here was sealed with, and a value only that key can produce."""

    __tablename__ = "sealing_key"

    id: str = Field(primary_key=True, max_length=40)
    check_value: bytes
    first_used_at: datetime
