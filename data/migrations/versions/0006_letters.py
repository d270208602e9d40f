"""Letters: a count for each mailbox, and the receipt for the link in a confirmation"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_letter")),
    )
    for column in ("mailbox_digest", "sent_at"):
        op.create_index(op.f(f"ix_sent_letter_{column}"), "sent_letter", [column])
    op.add_column("delivery", sa.Column("sealed_receipt", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery", "sealed_receipt")
    op.drop_table("sent_letter")
