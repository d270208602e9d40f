"""Alembic's entry point. `data/schema.py` opens the connection and the transaction."""

from alembic import context
from sqlmodel import SQLModel

import models.audit
import models.delivery
import models.document
import models.health
import models.idempotency
import models.inbox
import models.publication
import models.sealing_key
import models.staff_token
import models.webhook  # noqa: F401 (the imports register all tables in the metadata)

if context.config.attributes.get("connection") is None:
    raise SystemExit("use `python main.py migrate`")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # Both databases can roll back DDL, so an interrupted migration leaves the old schema unchanged.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
