"""The messages that webhooks receive: an id and a state for each event, no personal data."""

from datetime import datetime
from typing import Literal

from pydantic import Field as Described

from models.consultation_request import RequestState
from models.delivery import EventType
from models.values import ClinicState, Output


class RequestEventData(Output):
    """A request and its state."""

    id: str = Described(description="Id of the request, for `/v1/staff/consultation-requests/…`.")
    state: RequestState = Described(description="Its state after the event.")


class StatusEventData(Output):
    """A status change, and the clinic's state after it."""

    id: str = Described(description="Id of the status change.")
    state: ClinicState = Described(description="The clinic's state once the change is in effect.")


class Event(Output):
    """The fields of every message."""

    type: EventType = Described(description="Type of the event.")
    timestamp: datetime = Described(description="When it happened.")


class RequestReceivedEvent(Event):
    """A consultation request was stored."""

    type: Literal[EventType.REQUEST_RECEIVED] = Described(description="Type of the event.")
    data: RequestEventData = Described(description="The request.")


class RequestChangedEvent(Event):
    """The state of a consultation request changed: by staff, or because the clinic closed."""

    type: Literal[EventType.REQUEST_CHANGED] = Described(description="Type of the event.")
    data: RequestEventData = Described(description="The request.")


class RequestWithdrawnEvent(Event):
    """The person who sent a consultation request withdrew it."""

    type: Literal[EventType.REQUEST_WITHDRAWN] = Described(description="Type of the event.")
    data: RequestEventData = Described(description="The request.")


class StatusChangedEvent(Event):
    """A change of the clinic's status was recorded."""

    type: Literal[EventType.STATUS_CHANGED] = Described(description="Type of the event.")
    data: StatusEventData = Described(description="The change.")


EVENTS: dict[EventType, type[Event]] = {
    EventType.REQUEST_RECEIVED: RequestReceivedEvent,
    EventType.REQUEST_CHANGED: RequestChangedEvent,
    EventType.REQUEST_WITHDRAWN: RequestWithdrawnEvent,
    EventType.STATUS_CHANGED: StatusChangedEvent,
}
