"""The contents of a database, or of a backup of it."""

from sqlalchemy import Connection, func, inspect, select, table, text

from data.audit.check import find_end
from models.backup import BackupContents


class BackupFault(Exception):
    """A backup cannot be taken or used. The message gives the reason in one line."""


def count_contents(connection: Connection) -> BackupContents:
    """Counts what the database contains, in the connection's transaction. Raises `BackupFault`."""
    names = inspect(connection).get_table_names()
    if "alembic_version" not in names:
        raise BackupFault("the database is not migrated: run `python main.py migrate`")
    rows = {
        name: connection.scalar(select(func.count()).select_from(table(name))) for name in names
    }
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    keys = connection.scalars(text("SELECT id FROM sealing_key ORDER BY id"))
    # An older schema has events without hashes.
    audit_end = find_end(connection) if "audit_secret" in names else None
    return BackupContents.model_validate(
        {"schema_revision": revision, "rows": rows, "keys": list(keys), "audit_end": audit_end}
    )
