"""The message of each event, as a webhook gets it: an id and a state, nothing personal."""

from datetime import datetime
from typing import Literal

from pydantic import Field as Described

from models.consultation_request import RequestState
from models.delivery import EventType
from models.values import ClinicState, Output


class RequestEventData(Output):
    """Which request, and how far it is."""

    id: str = Described(description="Names the request, for `/v1/staff/consultation-requests/…`.")
    state: RequestState = Described(description="Its state after the event.")


class StatusEventData(Output):
    """Which change of the status, and the clinic's state with it."""

    id: str = Described(description="Names the status change.")
    state: ClinicState = Described(description="The clinic's state with the change.")


class Event(Output):
    """What every message holds."""

    type: EventType = Described(description="What happened.")
    timestamp: datetime = Described(description="When it happened.")


class RequestReceivedEvent(Event):
    """A consultation request was stored."""

    type: Literal[EventType.REQUEST_RECEIVED] = Described(description="What happened.")
    data: RequestEventData = Described(description="The request.")


class RequestChangedEvent(Event):
    """Staff moved a consultation request to another state, or the clinic's closing ended it."""

    type: Literal[EventType.REQUEST_CHANGED] = Described(description="What happened.")
    data: RequestEventData = Described(description="The request.")


class RequestWithdrawnEvent(Event):
    """The person who sent a consultation request took it back."""

    type: Literal[EventType.REQUEST_WITHDRAWN] = Described(description="What happened.")
    data: RequestEventData = Described(description="The request.")


class StatusChangedEvent(Event):
    """A change of the clinic's status was recorded."""

    type: Literal[EventType.STATUS_CHANGED] = Described(description="What happened.")
    data: StatusEventData = Described(description="The change.")


EVENTS: dict[EventType, type[Event]] = {
    EventType.REQUEST_RECEIVED: RequestReceivedEvent,
    EventType.REQUEST_CHANGED: RequestChangedEvent,
    EventType.REQUEST_WITHDRAWN: RequestWithdrawnEvent,
    EventType.STATUS_CHANGED: StatusChangedEvent,
}
