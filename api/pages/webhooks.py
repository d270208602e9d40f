"""The calls that webhooks get, for the OpenAPI document; the service sends them itself."""

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
        str, Header(description="Names the message: the same when it is sent again.")
    ],
    webhook_timestamp: Annotated[
        str, Header(description="When it was sent, in seconds since 1970; part of the signature.")
    ],
    webhook_signature: Annotated[
        str, Header(description="`v1,` and the signature, as Standard Webhooks describes it.")
    ],
) -> None:
    """The header fields that each message has."""


_TAKEN = "The receiver has taken it; any other 2xx says the same."

events = APIRouter(
    tags=["Webhooks"],
    generate_unique_id_function=operation_id,
    dependencies=[Depends(_signed)],
    responses={
        410: {"description": "The receiver wants no more: the webhook is ended."},
        "default": {"description": "The message is sent again, ten times within three days."},
    },
)


@events.post(EventType.REQUEST_RECEIVED, status_code=204, response_description=_TAKEN)
def request_received(body: RequestReceivedEvent) -> None:
    """A consultation request was stored."""


@events.post(EventType.REQUEST_CHANGED, status_code=204, response_description=_TAKEN)
def request_changed(body: RequestChangedEvent) -> None:
    """Staff moved a consultation request to another state, or the clinic's closing ended it."""


@events.post(EventType.REQUEST_WITHDRAWN, status_code=204, response_description=_TAKEN)
def request_withdrawn(body: RequestWithdrawnEvent) -> None:
    """The person who sent a consultation request took it back."""


@events.post(EventType.STATUS_CHANGED, status_code=204, response_description=_TAKEN)
def status_changed(body: StatusChangedEvent) -> None:
    """A change of the clinic's status was recorded."""
