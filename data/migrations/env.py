"""Alembic's entry; the connection and its transaction come from `data/schema.py`."""

from alembic import context
from sqlmodel import SQLModel

import models.health
import models.publication  # noqa: F401 (together they import every table)

if "connection" not in context.config.attributes:
    raise SystemExit("use `python main.py migrate`")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # SQLite rolls back DDL too, so a migration that is killed leaves the old revision whole.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
