"""Addresses that are told when something happens (Standard Webhooks)."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from models.delivery import EventType
from models.listing import Listing
from models.values import Input, JSONColumn, Output, fault, no_control_characters


class Webhook(SQLModel, table=True):
    """One address; its secret is sealed, and gone when the webhook is ended."""

    id: str = Field(primary_key=True, max_length=36)
    url: str
    events: list[str] = Field(sa_type=JSONColumn)
    sealed_secret: bytes | None
    created_at: datetime
    ended_at: datetime | None = Field(index=True)


def _is_callable(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise fault("invalid") from None
    is_web = parts.scheme in ("https", "http") and bool(parts.hostname) and port != 0
    # A password in an address would be in every list of it.
    if not is_web or parts.username is not None or parts.fragment or not url.isascii():
        raise fault("invalid")
    if " " in url:
        raise fault("invalid")
    return url


def _each_once(events: list[EventType]) -> list[EventType]:
    return sorted(set(events))


class WebhookCreate(Input):
    """A webhook to be made."""

    url: Annotated[
        str,
        Described(min_length=1, max_length=1000),
        AfterValidator(no_control_characters),
        AfterValidator(_is_callable),
    ] = Described(
        description="Where to POST to: an `https` address that leads outside the service's own "
        "network."
    )
    events: Annotated[
        list[EventType],
        Described(min_length=1, max_length=len(EventType)),
        AfterValidator(_each_once),
    ] = Described(description="What to tell of.")


class WebhookPublic(Output):
    """A webhook without its secret."""

    id: str = Described(description="Names the webhook.")
    url: str = Described(description="Where it POSTs to.")
    events: list[EventType] = Described(description="What it tells of.")
    created_at: datetime = Described(description="When it was made.")
    ended_at: datetime | None = Described(
        description="When it was ended, by staff or by an answer 410; `null` while it is not."
    )


class WebhookIssued(WebhookPublic):
    """A webhook that was just made."""

    secret: str = Described(
        description="Verifies the signature of each message (Standard Webhooks, `v1`). It is "
        "shown here only: keep it."
    )


class WebhookList(Listing[WebhookPublic]):
    """A page of webhooks."""
