"""The delivery log: the messages to webhooks and e-mail addresses, with their attempts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Admin
from api.dependencies import SessionDep, WriteSessionDep
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import NotFound, NothingToReplay
from api.problems.document import responses
from data.notifications import deliveries
from models.delivery import DeliveryList, DeliveryPublic, DeliveryState

router = APIRouter(prefix="/v1/staff/deliveries")


@router.get("")
def list_deliveries(
    staff: Admin,
    session: SessionDep,
    request: Request,
    response: Response,
    state: Annotated[
        DeliveryState | None, Query(description="Only deliveries in this state.")
    ] = None,
    webhook_id: Annotated[
        str | None, Query(pattern="^[0-9a-f-]{36}$", description="Only deliveries to this webhook.")
    ] = None,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> DeliveryList:
    """The messages that were sent or will be sent, the newest first, with their attempts.

    A finished delivery is kept for 30 days.
    """
    page = deliveries.list_deliveries(
        session, state=state, webhook_id=webhook_id, limit=limit, after=cursor
    )
    return DeliveryList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.post("/{id}/replay", responses=responses(NotFound, NothingToReplay))
def replay_delivery(
    staff: Admin,
    session: WriteSessionDep,
    delivery_id: Annotated[str, Path(alias="id", pattern="^[0-9a-f-]{36}$", description="`id`.")],
) -> DeliveryPublic:
    """Send a message again with the same id. It has ten attempts again."""
    row = deliveries.find_delivery(session, delivery_id=delivery_id)
    if row is None:
        raise NotFound
    if not deliveries.replay(session, row=row, actor=staff.id):
        raise NothingToReplay
    return deliveries.describe(session, row=row)
