"""Webhooks: URLs that receive a message for each event (Standard Webhooks)."""

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
    """One webhook. Its secret is sealed, and deleted when the webhook ends."""

    id: str = Field(primary_key=True, max_length=36)
    url: str
    events: list[str] = Field(sa_type=JSONColumn)
    sealed_secret: bytes | None
    created_at: datetime
    ended_at: datetime | None = Field(index=True)


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise fault("invalid") from None
    is_web = parts.scheme in ("https", "http") and bool(parts.hostname) and port != 0
    # A password in the URL would be in every list of webhooks.
    if not is_web or parts.username is not None or parts.fragment or not url.isascii():
        raise fault("invalid")
    if " " in url:
        raise fault("invalid")
    return url


def _without_duplicates(events: list[EventType]) -> list[EventType]:
    return sorted(set(events))


class WebhookCreate(Input):
    """A new webhook."""

    url: Annotated[
        str,
        Described(min_length=1, max_length=1000),
        AfterValidator(no_control_characters),
        AfterValidator(_check_url),
    ] = Described(
        description="URL to POST to. It uses `https`, and its host is outside the service's own "
        "network."
    )
    events: Annotated[
        list[EventType],
        Described(min_length=1, max_length=len(EventType)),
        AfterValidator(_without_duplicates),
    ] = Described(description="Types of the events to send.")


class WebhookPublic(Output):
    """A webhook without its secret."""

    id: str = Described(description="Id of the webhook.")
    url: str = Described(description="URL to which it sends.")
    events: list[EventType] = Described(description="Types of the events that it sends.")
    created_at: datetime = Described(description="When it was made.")
    ended_at: datetime | None = Described(
        description="When staff or an answer 410 ended it; `null` while it is active."
    )


class WebhookIssued(WebhookPublic):
    """A new webhook, with its secret."""

    secret: str = Described(
        description="Secret to verify the signature of each message (Standard Webhooks, `v1`). "
        "Only this answer contains it: keep it."
    )


class WebhookList(Listing[WebhookPublic]):
    """A page of webhooks."""
