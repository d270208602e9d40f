"""Staff: tokens, the inbox, notes, the audit"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSAL = "the audit is only ever appended to"


def upgrade() -> None:
    op.create_table(
        "staff_token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_token")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_at"), "audit_event", ["at"])
    op.create_index(op.f("ix_audit_event_subject"), "audit_event", ["subject"])
    op.create_table(
        "request_note",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["consultation_request.id"],
            name=op.f("fk_request_note_request_id_consultation_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_note")),
    )
    op.create_index(op.f("ix_request_note_request_id"), "request_note", ["request_id"])
    _widen_requests()
    _protect_the_audit()


def _widen_requests() -> None:
    # Defaults for existing rows only. The service always sets a value.
    for column in (
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("assigned_to", sa.String(), nullable=True),
        sa.Column("quarantined", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column(
            "quarantine_reasons",
            sa.JSON(none_as_null=True),
            nullable=False,
            server_default=sa.text("'[]'"),
        ),
        sa.Column("email_digest", sa.LargeBinary(), nullable=True),
        sa.Column("phone_digest", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("consultation_request", column)
    op.drop_index("ix_consultation_request_received_at", "consultation_request")
    op.drop_index("ix_consultation_request_state", "consultation_request")
    for columns in (
        ["received_at", "id"],
        ["state", "received_at", "id"],
        ["retention_until"],
        ["email_digest"],
        ["phone_digest"],
    ):
        name = f"ix_consultation_request_{'_'.join(columns)}"
        op.create_index(name, "consultation_request", columns)


def _protect_the_audit() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_event_no_{change.lower()} BEFORE {change} ON audit_event "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def downgrade() -> None:
    op.drop_table("request_note")
    op.drop_table("audit_event")
    op.drop_table("staff_token")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
    for columns in (
        ["received_at", "id"],
        ["state", "received_at", "id"],
        ["retention_until"],
        ["email_digest"],
        ["phone_digest"],
    ):
        op.drop_index(f"ix_consultation_request_{'_'.join(columns)}", "consultation_request")
    for column in (
        "end_reason",
        "version",
        "assigned_to",
        "quarantined",
        "quarantine_reasons",
        "email_digest",
        "phone_digest",
    ):
        op.drop_column("consultation_request", column)
    op.create_index("ix_consultation_request_received_at", "consultation_request", ["received_at"])
    op.create_index("ix_consultation_request_state", "consultation_request", ["state"])
