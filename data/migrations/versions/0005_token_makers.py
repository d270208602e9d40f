"""The maker of each staff token; the time of a request's last change of state"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff_token", sa.Column("made_by", sa.String(length=16), nullable=True))
    # The audit has the makers of existing tokens.
    op.execute(
        "UPDATE staff_token SET made_by = ("
        "SELECT actor FROM audit_event WHERE action = 'token.created' AND subject = staff_token.id "
        "AND actor IN (SELECT id FROM staff_token AS maker))"
    )
    op.add_column(
        "consultation_request",
        sa.Column(
            "state_changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            # For existing rows only. The service always sets a value.
            server_default=sa.text("'1970-01-01 00:00:00.000000'"),
        ),
    )
    # A request never returns to its first state. For the other states, the time of the last change
    # is the best known value.
    op.execute(
        "UPDATE consultation_request SET state_changed_at = "
        "CASE WHEN state IN ('received', 'waitlisted') THEN received_at ELSE updated_at END"
    )


def downgrade() -> None:
    op.drop_column("consultation_request", "state_changed_at")
    op.drop_column("staff_token", "made_by")
