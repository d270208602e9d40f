"""A keyed hash for each audit event, its sealed secret, and a trigger against REPLACE on SQLite"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_secret",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_secret")),
    )
    op.add_column("audit_event", sa.Column("hash", sa.LargeBinary(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        # REPLACE deletes a row, but does not run the DELETE trigger. If SQLite chooses the id,
        # NEW.id is NULL or -1 here.
        op.execute(
            "CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event "
            "WHEN NEW.id > 0 AND NEW.id <= (SELECT max(id) FROM audit_event) "
            "BEGIN SELECT RAISE(ABORT, 'the audit is only ever appended to'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_event_no_replace")
    else:
        # From this revision on the service sets the ids. Older revisions use the sequence.
        op.execute(
            "SELECT setval(pg_get_serial_sequence('audit_event', 'id'), "
            "(SELECT coalesce(max(id), 0) + 1 FROM audit_event), false)"
        )
    op.drop_column("audit_event", "hash")
    op.drop_table("audit_secret")
