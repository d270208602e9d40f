"""Describes the webhooks for the OpenAPI document. Nothing calls these functions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from api.pages.openapi import operation_id
from models.delivery import EventType
from models.event import (
    RequestChangedEvent,
    RequestReceivedEvent,
    RequestWithdrawnEvent,
    StatusChangedEvent,
)


def _signed(
    webhook_id: Annotated[
        str, Header(description="Id of the message. A repetition has the same id.")
    ],
    webhook_timestamp: Annotated[
        str,
        Header(description="Time of sending, in seconds since 1970. The signature covers it."),
    ],
    webhook_signature: Annotated[
        str, Header(description="`v1,` and the signature, according to Standard Webhooks.")
    ],
) -> None:
    """The header fields of every message."""


_RECEIVED = "The receiver has accepted the message. Any other 2xx means the same."

events = APIRouter(
    tags=["Webhooks"],
    generate_unique_id_function=operation_id,
    dependencies=[Depends(_signed)],
    responses={
        410: {"description": "The receiver wants no more messages: the webhook ends."},
        "default": {
            "description": "The message is sent again, with at most ten attempts in three days."
        },
    },
)


@events.post(EventType.REQUEST_RECEIVED, status_code=204, response_description=_RECEIVED)
def request_received(body: RequestReceivedEvent) -> None:
    """A consultation request was stored."""


@events.post(EventType.REQUEST_CHANGED, status_code=204, response_description=_RECEIVED)
def request_changed(body: RequestChangedEvent) -> None:
    """The state of a consultation request changed: by staff, or because the clinic closed."""


@events.post(EventType.REQUEST_WITHDRAWN, status_code=204, response_description=_RECEIVED)
def request_withdrawn(body: RequestWithdrawnEvent) -> None:
    """The person who sent a consultation request withdrew it."""


@events.post(EventType.STATUS_CHANGED, status_code=204, response_description=_RECEIVED)
def status_changed(body: StatusChangedEvent) -> None:
    """A change of the clinic's status was recorded."""
