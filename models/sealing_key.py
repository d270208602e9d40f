"""The keys that the data is sealed with."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SealingKey(SQLModel, table=True):
    """A key that sealed values in this database, and a value that only this key can produce."""

    __tablename__ = "sealing_key"

    id: str = Field(primary_key=True, max_length=40)
    check_value: bytes
    first_used_at: datetime
