"""Tokens with which the clinic's staff and its programs call the service."""

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
    """A permission of a token."""

    CONTENT_WRITE = "content:write"
    CONTENT_PUBLISH = "content:publish"
    CONTENT_REVIEW = "content:review"
    STATUS_WRITE = "status:write"
    INTAKE_READ = "intake:read"
    INTAKE_WRITE = "intake:write"
    INTAKE_EXPORT = "intake:export"
    ADMIN = "admin"


class StaffToken(SQLModel, table=True):
    """One token. Only a hash of its secret is stored."""

    __tablename__ = "staff_token"

    id: str = Field(primary_key=True, max_length=16)
    owner: str
    scopes: list[str] = Field(sa_type=JSONColumn)
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    # Id of the token that made it; `None` if the command line made it.
    made_by: str | None = Field(max_length=16)


def _without_duplicates(scopes: list[Scope]) -> list[Scope]:
    return sorted(set(scopes))


class StaffTokenCreate(Input):
    """A new token."""

    owner: Line = Described(description="The person or the program that will use the token.")
    scopes: Annotated[
        list[Scope],
        Described(min_length=1, max_length=len(Scope)),
        AfterValidator(_without_duplicates),
    ] = Described(
        description="Permissions of the token. It can only have scopes of the token that makes it."
    )
    expires_in_days: StrictInt | None = Described(
        default=None,
        ge=1,
        le=MAX_DAYS,
        description=f"Days until it expires, {DEFAULT_DAYS} by default. It never expires after "
        "the token that makes it.",
    )


class StaffTokenPublic(Output):
    """A token without its secret."""

    id: str = Described(description="Id of the token. It is the middle part of the token itself.")
    owner: str = Described(description="The person or the program that uses the token.")
    scopes: list[Scope] = Described(description="Permissions of the token.")
    created_at: datetime = Described(description="When it was made.")
    expires_at: datetime = Described(description="When it expires.")
    revoked_at: datetime | None = Described(
        description="When it was revoked; `null` if it was not revoked."
    )
    last_used_at: datetime | None = Described(
        description="When it was last used, to the minute; `null` if it was never used."
    )
    made_by: str | None = Described(
        description="Id of the token that made it; `null` if the command line made it."
    )


class StaffTokenIssued(StaffTokenPublic):
    """A new token, with its secret."""

    token: str = Described(description="The token itself. Only this answer contains it: keep it.")


class StaffTokenList(Listing[StaffTokenPublic]):
    """A page of tokens."""


class StaffMe(Output):
    """The token of this call."""

    id: str = Described(description="Id of the token.")
    owner: str = Described(description="The person or the program that uses the token.")
    scopes: list[Scope] = Described(description="Permissions of the token.")
    expires_at: datetime = Described(description="When it expires.")
