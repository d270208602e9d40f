"""Alembic's entry; the connection and its transaction come from `data/schema.py`."""

from alembic import context
from sqlmodel import SQLModel

import models.audit
import models.delivery
import models.health
import models.idempotency
import models.inbox
import models.publication
import models.sealing_key
import models.staff_token
import models.webhook  # noqa: F401 (together they import every table)

if context.config.attributes.get("connection") is None:
    raise SystemExit("use `python main.py migrate`")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # Both databases roll back DDL: a migration that is killed leaves the old revision whole.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
