"""Webhooks: URLs that the service notifies of events."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import Admin
from api.dependencies import KeyringDep, SessionDep, WriteSessionDep
from api.http.bodies import BodyRoute, JSONDep, Parsed
from api.http.cursors import CursorQuery
from api.http.queries import LimitQuery, list_meta
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound
from api.problems.document import responses
from api.problems.http_problems import ContentTooLarge, UnsupportedMediaType
from data.notifications import webhooks
from models.webhook import WebhookCreate, WebhookIssued, WebhookList, WebhookPublic

router = APIRouter(prefix="/v1/staff/webhooks", route_class=BodyRoute)


@router.get("")
def list_webhooks(
    staff: Admin,
    session: SessionDep,
    request: Request,
    response: Response,
    limit: LimitQuery = 100,
    cursor: CursorQuery = None,
) -> WebhookList:
    """All webhooks, also ended ones, the newest first. Never their secrets."""
    page = webhooks.list_webhooks(session, limit=limit, after=cursor)
    return WebhookList(data=list(page.items), meta=list_meta(session, page, request, response))


@router.post(
    "",
    status_code=201,
    responses=responses(MalformedJSON, ContentTooLarge, UnsupportedMediaType, InvalidRequest),
)
def create_webhook(
    staff: Admin,
    _json: JSONDep,
    session: WriteSessionDep,
    keyring: KeyringDep,
    body: Annotated[WebhookCreate, Parsed],
) -> WebhookIssued:
    """Register a URL for events. Messages are signed according to Standard Webhooks.

    A message contains the event, the id of its object, and the new state, but nothing that a
    patient typed. It is sent again until the answer is a 2xx, with at most ten attempts in three
    days. A 410 ends the webhook. A message can arrive twice, with the same `webhook-id`.
    """
    return webhooks.create_webhook(session, webhook=body, keyring=keyring, actor=staff.id)


@router.delete("/{id}", responses=responses(NotFound))
def end_webhook(
    staff: Admin,
    session: WriteSessionDep,
    webhook_id: Annotated[str, Path(alias="id", pattern="^[0-9a-f-]{36}$", description="`id`.")],
) -> WebhookPublic:
    """End a webhook: it gets no more messages. It stays in the list."""
    row = webhooks.end_webhook(session, webhook_id=webhook_id, actor=staff.id)
    if row is None:
        raise NotFound
    return WebhookPublic.model_validate(row)
