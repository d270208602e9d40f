"""Calling off planned status changes"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_change_calling_off",
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["status_change.id"],
            name=op.f("fk_status_change_calling_off_change_id_status_change"),
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_status_change_calling_off")),
    )


def downgrade() -> None:
    # The older schema cannot record that a change was called off, so the change would take effect.
    bind = op.get_bind()
    called_off = bind.scalars(sa.text("SELECT change_id FROM status_change_calling_off")).all()
    op.drop_table("status_change_calling_off")
    for change_id in called_off:
        bind.execute(sa.text("DELETE FROM status_change WHERE id = :id"), {"id": change_id})
