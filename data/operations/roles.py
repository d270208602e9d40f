"""The two roles of a PostgreSQL database: the owner of the tables, and the role of the service."""

from sqlalchemy import Connection, Engine, make_url, text
from sqlmodel import Session

# Rights that the role of the service does not get: it only inserts events and reseals the secret.
_REVOKED = {
    "audit_event": "UPDATE, DELETE, TRUNCATE",
    "audit_secret": "DELETE, TRUNCATE",
    "alembic_version": "INSERT, UPDATE, DELETE, TRUNCATE",
}
_IS_OWNER = text("""
    SELECT pg_has_role(event.relowner, 'MEMBER')
        OR pg_has_role(schema.nspowner, 'MEMBER')
        OR pg_has_role(this.datdba, 'MEMBER')
    FROM pg_class AS event
    JOIN pg_namespace AS schema ON schema.oid = event.relnamespace
    JOIN pg_database AS this ON this.datname = current_database()
    WHERE event.oid = 'audit_event'::regclass
""")
_MAY_CHANGE = text("""
    SELECT has_any_column_privilege('audit_event', 'UPDATE')
        OR has_table_privilege('audit_event', 'DELETE, TRUNCATE, TRIGGER')
""")


class RoleFault(Exception):
    """The roles cannot be used as configured. The message gives the reason in one line."""


def grant_serving(engine: Engine, *, serving_url: str) -> None:
    """Grants the role in `serving_url` the rights that `serve` needs, and revokes all others.

    `engine` must be connected as the owner. A second call changes nothing. Raises `RoleFault`.
    """
    role = make_url(serving_url).username
    with engine.begin() as connection:
        _require_other_role(connection, role)
        quote = connection.dialect.identifier_preparer.quote_identifier
        grantee = quote(str(role))
        schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
        for statement in (
            f"GRANT USAGE ON SCHEMA {schema} TO {grantee}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {grantee}",
            # `backup` needs SELECT.
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {grantee}",
            *(f"REVOKE {rights} ON {table} FROM {grantee}" for table, rights in _REVOKED.items()),
        ):
            connection.execute(text(statement))


def _require_other_role(connection: Connection, role: str | None) -> None:
    if role == connection.scalar(text("SELECT current_user")):
        raise RoleFault(
            f"CLINIC_MIGRATION_DATABASE_URL and CLINIC_DATABASE_URL both name the role {role}: "
            "the role of the service must not own the tables"
        )
    known = text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
    if not connection.scalar(known, {"role": role}):
        raise RoleFault(
            f"CLINIC_DATABASE_URL names the role {role}, which does not exist: create it"
        )


def find_excess(session: Session) -> str | None:
    """The reason why this session's role could change stored audit events; `None` if it cannot.

    The text continues a sentence that begins with the role.
    """
    if session.scalar(_IS_OWNER):
        return "owns the audit's table, its schema or its database, or is a superuser"
    if session.scalar(_MAY_CHANGE):
        return "has the right to change audit events"
    return None
