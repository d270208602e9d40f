"""Webhooks in the database."""

import base64
import secrets
import uuid

from sqlmodel import Session

from data.audit.events import record_event
from data.crypto import Keyring
from data.outbox import cancel_for_webhook
from data.paging import Cursor, Order, Page, read_page
from data.sealing_keys import register_key
from models.audit import SERVICE, Action, listed
from models.values import utc_now
from models.webhook import Webhook, WebhookCreate, WebhookIssued, WebhookPublic

# The format of Standard Webhooks, "Signature scheme".
_SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix)
_SECRET_BYTES = 32
_ORDER = Order(Webhook.created_at, Webhook.id, descending=True)


def create_webhook(
    session: Session, *, webhook: WebhookCreate, keyring: Keyring, actor: str
) -> WebhookIssued:
    """Creates a webhook; only the result contains its secret in clear text."""
    keyring = register_key(session, keyring)
    secret = secrets.token_bytes(_SECRET_BYTES)
    webhook_id = str(uuid.uuid4())
    row = Webhook(
        id=webhook_id,
        url=webhook.url,
        events=[str(event) for event in webhook.events],
        sealed_secret=keyring.seal(secret, location=secret_location(webhook_id)),
        created_at=utc_now(),
        ended_at=None,
    )
    session.add(row)
    record_event(
        session,
        actor=actor,
        action=Action.WEBHOOK_CREATED,
        subject=row.id,
        details={"events": listed(row.events)},
    )
    session.flush()
    text = _SECRET_PREFIX + base64.b64encode(secret).decode()
    return WebhookIssued(**WebhookPublic.model_validate(row).model_dump(), secret=text)


def end_webhook(session: Session, *, webhook_id: str, actor: str = SERVICE) -> Webhook | None:
    """Cancels its pending deliveries and deletes its secret; the webhook stays in the list."""
    row = session.get(Webhook, webhook_id, with_for_update=True)
    if row is not None and row.ended_at is None:
        row.ended_at, row.sealed_secret = utc_now(), None
        cancel_for_webhook(session, webhook_id=webhook_id)
        record_event(session, actor=actor, action=Action.WEBHOOK_ENDED, subject=row.id)
        session.flush()
    return row


def list_webhooks(
    session: Session, *, limit: int, after: Cursor | None = None
) -> Page[WebhookPublic]:
    """A page of all webhooks, also ended ones; the newest first."""
    page = read_page(session, Webhook, order=_ORDER, limit=limit, after=after)
    return page.with_items([WebhookPublic.model_validate(row) for row in page.items])


def secret_location(webhook_id: str) -> str:
    return f"webhook.sealed_secret:{webhook_id}"
