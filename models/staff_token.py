"""Tokens with which the clinic's own staff and programs call the service."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, StrictInt
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.values import Input, JSONColumn, Line, Output

MAX_DAYS = 365
DEFAULT_DAYS = 90


class Scope(StrEnum):
    """What a token may be used for."""

    CONTENT_WRITE = "content:write"
    CONTENT_PUBLISH = "content:publish"
    STATUS_WRITE = "status:write"
    INTAKE_READ = "intake:read"
    INTAKE_WRITE = "intake:write"
    INTAKE_EXPORT = "intake:export"
    ADMIN = "admin"


class StaffToken(SQLModel, table=True):
    """One token; of its secret only a hash is kept."""

    __tablename__ = "staff_token"

    id: str = Field(primary_key=True, max_length=16)
    owner: str
    scopes: list[str] = Field(sa_type=JSONColumn)
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    # Id of the token that made it; the command line has none.
    made_by: str | None = Field(max_length=16)


def _each_once(scopes: list[Scope]) -> list[Scope]:
    return sorted(set(scopes))


class StaffTokenCreate(Input):
    """A token to be made."""

    owner: Line = Described(description="Who will use it: a person or a program.")
    scopes: Annotated[
        list[Scope], Described(min_length=1, max_length=len(Scope)), AfterValidator(_each_once)
    ] = Described(description="What it may be used for; only scopes of the token that makes it.")
    expires_in_days: StrictInt | None = Described(
        default=None,
        ge=1,
        le=MAX_DAYS,
        description=f"For how long it is good; {DEFAULT_DAYS} days by default. Never longer than "
        "the token that makes it.",
    )


class StaffTokenPublic(Output):
    """A token without its secret."""

    id: str = Described(description="Names the token; it is the middle part of it.")
    owner: str = Described(description="Who uses it.")
    scopes: list[Scope] = Described(description="What it may be used for.")
    created_at: datetime = Described(description="When it was made.")
    expires_at: datetime = Described(description="When it stops being good.")
    revoked_at: datetime | None = Described(
        description="When it was revoked; `null` while it is not."
    )
    last_used_at: datetime | None = Described(
        description="When it was last used, to the minute; `null` when it never was."
    )
    made_by: str | None = Described(
        description="Id of the token that made it; `null` when the command line did."
    )


class StaffTokenIssued(StaffTokenPublic):
    """A token that was just made."""

    token: str = Described(description="The token itself. It is shown here only: keep it.")


class StaffTokenList(Listing[StaffTokenPublic]):
    """A page of tokens."""


class StaffMe(Output):
    """Who is calling."""

    id: str = Described(description="Names the token.")
    owner: str = Described(description="Who uses it.")
    scopes: list[Scope] = Described(description="What it may be used for.")
    expires_at: datetime = Described(description="When it stops being good.")
