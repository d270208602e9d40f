"""Tokens know which token made them, requests when their state changed"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff_token", sa.Column("made_by", sa.String(length=16), nullable=True))
    # The audit knows it of the tokens that are there.
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
            # For the rows that are there; the service gives a value itself.
            server_default=sa.text("'1970-01-01 00:00:00.000000'"),
        ),
    )
    # No step of a request leads back to the state in which it began. Of the others the last change
    # is the best that is known.
    op.execute(
        "UPDATE consultation_request SET state_changed_at = "
        "CASE WHEN state IN ('received', 'waitlisted') THEN received_at ELSE updated_at END"
    )


def downgrade() -> None:
    op.drop_column("consultation_request", "state_changed_at")
    op.drop_column("staff_token", "made_by")
