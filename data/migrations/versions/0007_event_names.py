"""Rename events to `request.…` in webhooks and in the outbox, but not in the audit"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OLD, _NEW = "consultation_request.", "request."

_webhook = sa.table("webhook", sa.column("id", sa.String), sa.column("events", sa.JSON))
_delivery = sa.table("delivery", sa.column("event", sa.String), sa.column("payload", sa.String))


def upgrade() -> None:
    _rename(_OLD, _NEW)


def downgrade() -> None:
    _rename(_NEW, _OLD)


def _rename(old: str, new: str) -> None:
    _rename_in_webhooks(old, new)
    payload = _delivery.c.payload
    # Also in finished deliveries: staff may send them again.
    for start in ('"type": "', '"type":"'):
        payload = sa.func.replace(payload, f"{start}{old}", f"{start}{new}")
    op.execute(
        sa.update(_delivery)
        .where(_delivery.c.event.startswith(old, autoescape=True))
        .values(event=sa.func.replace(_delivery.c.event, old, new), payload=payload)
    )


def _rename_in_webhooks(old: str, new: str) -> None:
    connection = op.get_bind()
    for webhook_id, events in connection.execute(sa.select(_webhook.c.id, _webhook.c.events)).all():
        renamed = [event.replace(old, new) if event.startswith(old) else event for event in events]
        connection.execute(
            sa.update(_webhook).where(_webhook.c.id == webhook_id).values(events=renamed)
        )
