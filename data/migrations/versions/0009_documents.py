"""Documents with revisions and publications replace the tables of texts"""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Row = dict[str, Any]
_JSON = sa.JSON(none_as_null=True)
_OLD_TABLES = ("clinic", "status_content", "consultation_form", "notice", "section", "faq",
               "former_slug")  # fmt: skip
_SERVICE = "service"
_CONSENT = "consent_to_contact"
_INTAKE_MESSAGES = {
    "waitlist": "The clinic has a waiting list. A request joins it.",
    "paused": "The clinic takes no requests at the moment.",
    "closed": "The clinic takes no requests any more.",
}
_WITHDRAWN = "The clinic has withdrawn this text."


def upgrade() -> None:
    bind = op.get_bind()
    _create_tables()
    _Carrying(bind).run()
    _keep_own_words(bind)
    for name in _OLD_TABLES:
        op.drop_table(name)


def _create_tables() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("kind", "slug", "locale", name=op.f("uq_document_kind_slug_locale")),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", _JSON, nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_revision_document_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_revision_document_id_number")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change", sa.String(length=5), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("moved_to", sa.String(length=80), nullable=True),
        sa.Column("is_first_filling", sa.Boolean(), nullable=False),
        sa.Column("written_in", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_publication_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_publication_revision_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
    )
    for columns in (("document_id", "from_at", "id"), ("from_at",), ("until_at",)):
        op.create_index(op.f(f"ix_publication_{'_'.join(columns)}"), "publication", list(columns))
    op.create_table(
        "publication_calling_off",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("written_in", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publication.id"],
            name=op.f("fk_publication_calling_off_publication_id_publication"),
        ),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_publication_calling_off")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("next_review_due_on", sa.Date(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("written_in", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_review_revision_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_revision_id"), "review", ["revision_id"])


class _Carrying:
    """Makes each text revision 1 of a document, and publishes it.

    The first load of an older version filled the database, so the days of its texts are not known.
    A text that changed after that load gets a second publication with the day of the change.
    """

    def __init__(self, bind: sa.Connection) -> None:
        self.bind = bind
        # Typed, so that the databases convert days, times and JSON.
        self.tables = {
            name: sa.Table(name, sa.MetaData(), autoload_with=bind)
            for name in (*_OLD_TABLES, "document", "revision", "publication", "review")
        }
        self.version = bind.scalar(sa.text("SELECT value FROM content_version"))
        self.locale = "en-US"
        self.zone = ZoneInfo("UTC")
        self.filled_at = datetime.now(UTC)

    def run(self) -> None:
        clinics = self._rows("clinic")
        if not clinics:
            return
        texts = [*self._rows("section"), *self._rows("faq")]
        self.filled_at = min([_utc(text["published_at"]) for text in texts] or [self.filled_at])
        self._carry_clinic(clinics[0])
        for row in self._rows("status_content"):
            self._single("status", _status(row))
        notices = self._rows("notice", "position")
        self._single("notices", {"notices": [_only(n, "slug", "scope", "text") for n in notices]})
        self._carry_forms()
        for row in self._rows("section"):
            self._carry_text("section", row, _section(row))
        for row in self._rows("faq"):
            self._carry_text("faq", row, _faq(row))
        for row in self._rows("former_slug"):
            document = self._document(row["kind"], row["slug"])
            self._publish(document, None, type="moved", moved_to=row["current_slug"])

    def _rows(self, name: str, order: str | None = None) -> list[Row]:
        table = self.tables[name]
        rows = self.bind.execute(table.select().order_by(*([order] if order else [])))
        return [dict(row._mapping) for row in rows]

    def _insert(self, name: str, **values: Any) -> int:
        table = self.tables[name]
        [key] = self.bind.execute(table.insert().values(values).returning(table.c.id)).one()
        return int(key)

    def _document(self, kind: str, slug: str) -> int:
        return self._insert("document", kind=kind, slug=slug, locale=self.locale)

    def _revise(self, document: int, content: Row, *, number: int = 1) -> int:
        return self._insert(
            "revision",
            document_id=document,
            number=number,
            content=content,
            origin="file",
            author=_SERVICE,
            saved_at=self.filled_at,
        )

    def _publish(self, document: int, revision: int | None, **given: Any) -> None:
        defaults = {
            "type": "published",
            "from_at": self.filled_at,
            "change": "major",
            "is_first_filling": True,
            "written_in": self.version,
            "recorded_at": self.filled_at,
            "by": _SERVICE,
        }
        values = {"document_id": document, "revision_id": revision, **defaults, **given}
        self._insert("publication", **values)

    def _single(self, kind: str, content: Row) -> None:
        document = self._document(kind, kind)
        self._publish(document, self._revise(document, content))

    def _carry_clinic(self, row: Row) -> None:
        self.locale, self.zone = row["locale"], ZoneInfo(row["time_zone"])
        topics = list(dict.fromkeys(faq["topic"] for faq in self._rows("faq", "position")))
        content = _only(row, "name", "locality", "region", "country", "time_zone", "contact",
                        "opening_hours", "treatments", "conditions")  # fmt: skip
        content |= {
            "locales": [row["locale"]],
            "privacy_policy_url": None,
            "special_hours": None,
            "faq_topics": [
                {"slug": topic, "name": topic.replace("-", " ").capitalize()} for topic in topics
            ],
        }
        self._single("clinic", content)

    def _carry_forms(self) -> None:
        rows = self._rows("consultation_form", "version")
        document = self._document("form", "form") if rows else 0
        for index, row in enumerate(rows):
            revision = self._revise(document, _form(row["document"]), number=row["version"])
            self._publish(
                document,
                revision,
                from_at=_utc(row["published_at"]),
                is_first_filling=index == 0,
            )

    def _carry_text(self, kind: str, row: Row, content: Row) -> None:
        document = self._document(kind, row["slug"])
        revision = self._revise(document, content)
        published_at, updated_at = _utc(row["published_at"]), _utc(row["updated_at"])
        is_first = published_at == self.filled_at
        self._publish(document, revision, from_at=published_at, is_first_filling=is_first)
        if updated_at > published_at:
            self._publish(document, revision, from_at=updated_at, is_first_filling=False)
        if row["withdrawn_on"]:
            day = datetime.combine(row["withdrawn_on"], time.min, self.zone).astimezone(UTC)
            self._publish(
                document,
                None,
                type="gone",
                reason=_WITHDRAWN,
                from_at=max(day, updated_at),
            )
        if row.get("last_reviewed_on"):
            self._insert(
                "review",
                revision_id=revision,
                verdict="approved",
                reviewed_on=row["last_reviewed_on"],
                next_review_due_on=row["next_review_due_on"],
                by=_SERVICE,
                written_in=self.version,
                at=self.filled_at,
            )


def _utc(at: datetime) -> datetime:
    """SQLite returns times without an offset; all are in UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _only(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _status(row: Row) -> Row:
    # An empty list said that nobody had entered anything.
    return {
        "texts": row["texts"],
        "intake_messages": _INTAKE_MESSAGES,
        "closure": row["closure"],
        "alternatives": row["alternatives"] or None,
        "safety_resources": row["safety_resources"] or None,
    }


def _form(document: Row) -> Row:
    """The form in its new shape. Every clinic had the same fields and topics."""
    choices = {
        name: [{"value": value, "label": label} for value, label in labels.items()]
        for name, labels in document["choices"].items()
    }
    fields = {
        name: {
            **field,
            "required": name in ("name", "topic"),
            "choices": None if name == "topic" else choices.get(name),
        }
        for name, field in document["fields"].items()
        if name != _CONSENT
    }
    [consent] = document["consents"]
    kept = ("safety_notice", "confirmation", "messages", "next_steps")
    return {
        **{name: document[name] for name in kept},
        "fields": fields,
        "topics": choices["topic"],
        "questions": [],
        "consents": [{**consent, "help": document["fields"][_CONSENT]["help"]}],
    }


def _section(row: Row) -> Row:
    return {
        **_only(row, "title", "summary", "position", "notices", "references", "call_to_action",
                "image"),
        "body": row["markdown"],
    }  # fmt: skip


def _faq(row: Row) -> Row:
    return {
        **_only(row, "question", "position", "topic", "section", "answered", "notices", "answer"),
        "answer_by_state": row["answers"],
    }


def _keep_own_words(bind: sa.Connection) -> None:
    """Removes the default words from the status changes: from now on they are looked up."""
    change = sa.Table("status_change", sa.MetaData(), autoload_with=bind)
    content = sa.Table("status_content", sa.MetaData(), autoload_with=bind)
    texts = bind.scalar(sa.select(content.c.texts)) or {}
    rows = [dict(row._mapping) for row in bind.execute(change.select().order_by(change.c.id))]
    _make_nullable(bind, "headline", "message")
    op.add_column(
        "status_change",
        sa.Column("is_first_filling", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    for index, row in enumerate(rows):
        own = {
            name: None if row[name] == texts.get(row["state"], {}).get(name) else row[name]
            for name in ("headline", "message")
        }
        changed = sa.table("status_change", *(sa.column(name) for name in ("id", "headline",
                           "message", "is_first_filling")))  # fmt: skip
        bind.execute(
            changed.update()
            .where(changed.c.id == row["id"])
            .values(**own, is_first_filling=index == 0)
        )


def _make_nullable(bind: sa.Connection, *names: str) -> None:
    for name in names:
        if bind.dialect.name == "postgresql":
            op.alter_column("status_change", name, existing_type=sa.String(), nullable=True)
        else:
            # SQLite would need a copy of the table, which other tables refer to.
            op.drop_column("status_change", name)
            op.add_column("status_change", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    """Removes all content: the older version loads its files again."""
    bind = op.get_bind()
    change = sa.table("status_change", sa.column("headline"), sa.column("message"))
    for column in (change.c.headline, change.c.message):
        bind.execute(change.update().where(column.is_(None)).values({column.name: ""}))
    op.drop_column("status_change", "is_first_filling")
    if bind.dialect.name == "postgresql":
        for name in ("headline", "message"):
            op.alter_column("status_change", name, existing_type=sa.String(), nullable=False)
    for name in ("review", "publication_calling_off", "publication", "revision", "document"):
        op.drop_table(name)
    _create_old_tables()


def _create_old_tables() -> None:
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
        "notice",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_notice")),
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
        "status_content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closure", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("alternatives", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("safety_resources", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_content")),
    )
