"""First schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("locality", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("contact", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("opening_hours", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("treatments", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("conditions", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )
    op.create_table(
        "consultation_form",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consultation_form")),
    )
    op.create_table(
        "consultation_request",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retention_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_request")),
    )
    op.create_index(
        op.f("ix_consultation_request_received_at"),
        "consultation_request",
        ["received_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_consultation_request_state"),
        "consultation_request",
        ["state"],
        unique=False,
    )

    op.create_table(
        "content_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_version")),
    )
    op.create_table(
        "faq",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("notices", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq")),
        sa.UniqueConstraint("slug", name=op.f("uq_faq_slug")),
    )
    op.create_index(op.f("ix_faq_position"), "faq", ["position"], unique=False)
    op.create_index(op.f("ix_faq_section"), "faq", ["section"], unique=False)
    op.create_index(op.f("ix_faq_topic"), "faq", ["topic"], unique=False)

    op.create_table(
        "former_slug",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("current_slug", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "slug", name=op.f("pk_former_slug")),
    )
    op.create_table(
        "health_probe",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_probe")),
    )
    op.create_table(
        "notice",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_notice")),
    )
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("check_value", sa.LargeBinary(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealing_key")),
    )
    op.create_table(
        "section",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("markdown", sa.String(), nullable=False),
        sa.Column("notices", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("references", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("call_to_action", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("image", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("last_reviewed_on", sa.Date(), nullable=True),
        sa.Column("next_review_due_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_section")),
        sa.UniqueConstraint("slug", name=op.f("uq_section_slug")),
    )
    op.create_index(op.f("ix_section_position"), "section", ["position"], unique=False)

    op.create_table(
        "status_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("headline", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("takes_effect_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopens_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_change")),
    )
    op.create_index(
        op.f("ix_status_change_takes_effect_at"),
        "status_change",
        ["takes_effect_at"],
        unique=False,
    )

    op.create_table(
        "status_content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closure", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("alternatives", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("safety_resources", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_content")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["consultation_request.id"],
            name=op.f("fk_consent_request_id_consultation_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_request_id"), "consent", ["request_id"], unique=False)

    op.create_table(
        "idempotency_record",
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["consultation_request.id"],
            name=op.f("fk_idempotency_record_request_id_consultation_request"),
        ),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_idempotency_record")),
    )
    op.create_index(
        op.f("ix_idempotency_record_expires_at"),
        "idempotency_record",
        ["expires_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_idempotency_record_request_id"),
        "idempotency_record",
        ["request_id"],
        unique=False,
    )

    op.execute("INSERT INTO content_version (id, value) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_index(op.f("ix_idempotency_record_request_id"), table_name="idempotency_record")
    op.drop_index(op.f("ix_idempotency_record_expires_at"), table_name="idempotency_record")

    op.drop_table("idempotency_record")
    op.drop_index(op.f("ix_consent_request_id"), table_name="consent")

    op.drop_table("consent")
    op.drop_table("status_content")
    op.drop_index(op.f("ix_status_change_takes_effect_at"), table_name="status_change")

    op.drop_table("status_change")
    op.drop_index(op.f("ix_section_position"), table_name="section")

    op.drop_table("section")
    op.drop_table("sealing_key")
    op.drop_table("notice")
    op.drop_table("health_probe")
    op.drop_table("former_slug")
    op.drop_index(op.f("ix_faq_topic"), table_name="faq")
    op.drop_index(op.f("ix_faq_section"), table_name="faq")
    op.drop_index(op.f("ix_faq_position"), table_name="faq")

    op.drop_table("faq")
    op.drop_table("content_version")
    op.drop_index(op.f("ix_consultation_request_state"), table_name="consultation_request")
    op.drop_index(op.f("ix_consultation_request_received_at"), table_name="consultation_request")

    op.drop_table("consultation_request")
    op.drop_table("consultation_form")
    op.drop_table("clinic")
