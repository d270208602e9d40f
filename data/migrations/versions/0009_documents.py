"""Documents with revisions and publications replace the tables of texts.

Upgrade: each text becomes revision 1 of a document. The versions of the form keep their numbers.
The first load of an older version filled the database, so the days of its texts are not known. A
text that changed later gets a second publication with the day of the change. A text that this
version cannot read, for example a title of more than 200 characters, stops the upgrade. Only a
version of the form that was replaced is kept without its content then, because it cannot be
corrected.

Downgrade: the texts that are public, and those that were withdrawn, return to the old tables, in
the clinic's default language and with their version and days. The old tables cannot say everything:

- Of a section with one text for each state, the text of the present state remains. Of an FAQ with
  one answer for each mode, the answer for the usual mode of each state remains.
- A text that is not shown in the present state is removed. Any other text is shown in every state.
- The form loses its questions, further consents, further topics, and which fields are required. If
  the form in effect lacks a field or a choice that the older version needs, the downgrade stops
  before it changes anything.
- Drafts, planned publications, synonyms, other languages, special hours, the address of the privacy
  policy, the names of topics and the reasons of withdrawals are removed. A planned withdrawal
  remains, from the start of its day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op
from pydantic import ValidationError

from data.schema import MigrationRefused
from models.document import Kind
from models.document_content import read_stored
from models.form_questions import InputMode

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

# The rest of these constants describe the older version.
_USUAL_MODES = {"open": "open", "temporarily_closed": "paused", "permanently_closed": "closed"}
_WIDGETS = ("text", "email", "tel", "radio", "checkbox", "select", "textarea")
_CHOICES = {
    "preferred_contact": ("email", "phone", "either"),
    "best_time": ("morning", "afternoon", "evening", "any"),
    "topic": ("depression", "ptsd", "chronic_pain", "other_mood_disorder", "other",
              "prefer_not_to_say"),
}  # fmt: skip
# The codes that the form has a message for, by their fields.
_REASONS = {
    "name": ("required", "wrong_type", "too_long", "invalid"),
    "email": ("required", "wrong_type", "too_long", "invalid"),
    "phone": ("required", "wrong_type", "too_long", "invalid"),
    "preferred_contact": ("wrong_type", "invalid"),
    "may_leave_voicemail": ("wrong_type",),
    "best_time": ("wrong_type", "invalid"),
    "topic": ("required", "wrong_type", "invalid"),
    "message": ("wrong_type", "too_long", "invalid"),
    "consent_to_contact": ("required", "wrong_type"),
    "form_version": ("required", "wrong_type", "outdated"),
    "body": ("wrong_type", "unknown_field"),
}
_FIELDS = [name for name in _REASONS if name not in (_CONSENT, "form_version", "body")]
_CODES = [f"{name}.{reason}" for name, reasons in _REASONS.items() for reason in reasons]


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
    for columns in (("document_id", "from_at", "id"), ("from_at",), ("until_at",), ("written_in",)):
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
    """Makes documents of the rows in the old tables."""

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
        # The first load published everything at the same time, with a version of the form.
        dated = self._rows("consultation_form") or self._rows("section") or self._rows("faq")
        self.filled_at = min([_utc(row["published_at"]) for row in dated] or [self.filled_at])
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
        self._carry_former_slugs()

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

    def _revise(self, document: int, content: Row | None, *, number: int = 1) -> int:
        return self._insert(
            "revision",
            document_id=document,
            number=number,
            content=sa.null() if content is None else content,
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
        self._publish(document, self._revise(document, _checked(kind, kind, content)))

    def _carry_clinic(self, row: Row) -> None:
        self.locale, self.zone = row["locale"], ZoneInfo(row["time_zone"])
        topics = list(dict.fromkeys(faq["topic"] for faq in self._rows("faq", "position")))
        content = _only(row, "name", "locality", "region", "country", "time_zone", "contact",
                        "treatments", "conditions")  # fmt: skip
        content |= {
            "locales": [row["locale"]],
            "opening_hours": _opening_hours(row["opening_hours"]),
            "faq_topics": [
                {"slug": topic, "name": topic.replace("-", " ").capitalize()} for topic in topics
            ],
        }
        self._single("clinic", content)

    def _carry_forms(self) -> None:
        rows = self._rows("consultation_form", "version")
        document = self._document("form", "form") if rows else 0
        for index, row in enumerate(rows):
            published_at, later = _utc(row["published_at"]), rows[index + 1 :]
            try:
                content = _checked("form", f"version {row['version']}", _form(row["document"]))
            except MigrationRefused:
                if not later:
                    raise
                # A replaced version cannot be corrected any more. The requests contain the texts of
                # their consents themselves.
                content = None
            revision = self._revise(document, content, number=row["version"])
            # The highest version is in effect, also if it was published before a lower one.
            if all(_utc(other["published_at"]) > published_at for other in later):
                is_first = published_at == self.filled_at
                self._publish(document, revision, from_at=published_at, is_first_filling=is_first)

    def _carry_text(self, kind: str, row: Row, content: Row) -> None:
        document = self._document(kind, row["slug"])
        published_at, updated_at = _utc(row["published_at"]), _utc(row["updated_at"])
        # Before the first load are only days that a downgrade took from the text's content.
        if published_at < self.filled_at:
            content["published_on"] = self._day(published_at)
        if published_at != updated_at < self.filled_at:
            content["updated_on"] = self._day(updated_at)
        revision = self._revise(document, _checked(kind, row["slug"], content))
        is_first = published_at <= self.filled_at
        from_at = max(published_at, self.filled_at)
        self._publish(document, revision, from_at=from_at, is_first_filling=is_first)
        if updated_at > from_at:
            from_at = updated_at
            self._publish(document, revision, from_at=from_at, is_first_filling=False)
        if row["withdrawn_on"]:
            day = datetime.combine(row["withdrawn_on"], time.min, self.zone)
            gone_at = max(day, from_at).astimezone(UTC)
            self._publish(document, None, type="gone", reason=_WITHDRAWN, from_at=gone_at)
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

    def _day(self, at: datetime) -> str:
        return at.astimezone(self.zone).date().isoformat()

    def _carry_former_slugs(self) -> None:
        for row in self._rows("former_slug"):
            texts = self.tables[row["kind"]]
            # A text that was renamed twice can have its first slug again.
            if not self.bind.scalar(sa.select(texts.c.id).where(texts.c.slug == row["slug"])):
                document = self._document(row["kind"], row["slug"])
                self._publish(document, None, type="moved", moved_to=row["current_slug"])


def _checked(kind: str, name: str, content: Row) -> Row:
    """The content as this version stores it. Raises `MigrationRefused`."""
    try:
        return read_stored(Kind(kind), _stripped(content)).model_dump(mode="json")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        position = ".".join(map(str, fault["loc"]))
        reason = fault["msg"].removeprefix("Value error, ")
        text = kind if name == kind else f"{kind} {name}"
        raise MigrationRefused(
            f"this version cannot use {text}: {position}: {reason}. Nothing was changed: "
            "correct it with the older version, then migrate again"
        ) from None


def _stripped(value: Any) -> Any:
    # In the older version, a line could end with a line break.
    match value:
        case str():
            return value.strip()
        case list():
            return [_stripped(item) for item in value]
        case dict():
            return {key: _stripped(member) for key, member in value.items()}
    return value


def _utc(at: datetime) -> datetime:
    """SQLite returns times without an offset; all are in UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _only(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _opening_hours(hours: Sequence[Row] | None) -> list[Row] | None:
    # The older version did not state whether an opening ends on the next day.
    return hours and [
        {
            "day": row["day"],
            "opens": row["opens"][:5],
            "closes": row["closes"][:5],
            "closes_next_day": row["closes"] <= row["opens"],
        }
        for row in hours
    ]


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
    modes = get_args(InputMode)
    fields = {
        name: {
            **field,
            "input_mode": field["input_mode"] if field["input_mode"] in modes else None,
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
        **_only(row, "title", "summary", "position", "references", "call_to_action", "image"),
        "body": row["markdown"],
        "notices": list(dict.fromkeys(row["notices"])),
    }  # fmt: skip


def _faq(row: Row) -> Row:
    return {
        **_only(row, "question", "position", "topic", "section", "answered", "answer"),
        "answer_by_state": row["answers"],
        "notices": list(dict.fromkeys(row["notices"])),
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
            name: None if row[name] in ("", texts.get(row["state"], {}).get(name)) else row[name]
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
    bind = op.get_bind()
    # Before any change, because it can refuse.
    rows = _OldRows(bind).make()
    _fill_in_words(bind, next((row["texts"] for row in rows["status_content"]), {}))
    for name in ("review", "publication_calling_off", "publication", "revision", "document"):
        op.drop_table(name)
    for table in _create_old_tables():
        if rows[table.name]:
            bind.execute(table.insert(), rows[table.name])


def _fill_in_words(bind: sa.Connection, texts: Mapping[str, Row]) -> None:
    """Gives each status change the default words of its state where it has none of its own."""
    change = sa.table(
        "status_change", sa.column("state"), sa.column("headline"), sa.column("message")
    )
    for column in (change.c.headline, change.c.message):
        for state in _USUAL_MODES:
            words = texts.get(state, {}).get(column.name, "")
            without = (change.c.state == state) & column.is_(None)
            bind.execute(change.update().where(without).values({column.name: words}))
    op.drop_column("status_change", "is_first_filling")
    # On SQLite the columns stay nullable, for the reason in `_make_nullable`.
    if bind.dialect.name == "postgresql":
        for name in ("headline", "message"):
            op.alter_column("status_change", name, existing_type=sa.String(), nullable=False)


class _OldRows:
    """Makes the rows of the old tables from what is published now."""

    def __init__(self, bind: sa.Connection) -> None:
        self.bind = bind
        self.now = datetime.now(UTC)
        self.rows: dict[str, list[Row]] = {name: [] for name in _OLD_TABLES}
        self.documents = self._read("document")
        self.revisions = {row["id"]: row for row in self._read("revision")}
        # A later approval of the same revision replaces the earlier one.
        self.approvals = {
            row["revision_id"]: row for row in self._read("review") if row["verdict"] == "approved"
        }
        self.histories = self._read_histories()
        begun = [p for history in self.histories.values() for p in history if self._is_text(p)]
        filling = [p["from_at"] for p in begun if p["is_first_filling"]]
        self.filled_at = min(filling or [p["from_at"] for p in begun] or [self.now])
        self.state = self._find_state()
        self.locale, self.zone = "", ZoneInfo("UTC")

    def make(self) -> dict[str, list[Row]]:
        """The rows by table. Raises `MigrationRefused` if the older version cannot use the form."""
        clinic = self._find_clinic()
        if clinic is None:
            return self.rows
        self.rows["clinic"].append(_old_clinic(clinic))
        if status := self._find_single("status"):
            self.rows["status_content"].append(_old_status(status))
        notices = (self._find_single("notices") or {}).get("notices", [])
        self.rows["notice"] += [
            {**_only(notice, "slug", "scope", "text"), "position": position}
            for position, notice in enumerate(notices, start=1)
        ]
        self._make_forms()
        for document in self.documents:
            if document["locale"] == self.locale and document["kind"] in ("section", "faq"):
                self._make_text(document)
        return self.rows

    def _read(self, name: str) -> list[Row]:
        table = sa.Table(name, sa.MetaData(), autoload_with=self.bind)
        rows = self.bind.execute(table.select().order_by(*table.primary_key.columns))
        return [
            {
                column: _utc(value) if isinstance(value, datetime) else value
                for column, value in row._mapping.items()
            }
            for row in rows
        ]

    def _read_histories(self) -> Mapping[int, list[Row]]:
        """The publications of each document that were not called off, the earliest first."""
        called_off = {row["publication_id"] for row in self._read("publication_calling_off")}
        histories = defaultdict(list)
        for row in sorted(self._read("publication"), key=lambda row: (row["from_at"], row["id"])):
            if row["id"] not in called_off:
                histories[row["document_id"]].append(row)
        return histories

    def _find_state(self) -> str:
        called_off = {row["change_id"] for row in self._read("status_change_calling_off")}
        begun = [
            row
            for row in self._read("status_change")
            if row["takes_effect_at"] <= self.now and row["id"] not in called_off
        ]
        latest = max(begun, key=lambda row: (row["takes_effect_at"], row["id"]), default=None)
        return latest["state"] if latest else "open"

    def _is_text(self, publication: Row) -> bool:
        """Whether it has published a revision, and the revision still has its content."""
        revision = self.revisions.get(publication["revision_id"])
        return publication["from_at"] <= self.now and bool(revision and revision["content"])

    def _content_in_effect(self, document: Row) -> Row | None:
        found = _in_effect(self.histories[document["id"]], self.now)
        return self._content(found) if found and self._is_text(found) else None

    def _content(self, publication: Row) -> Row:
        content: Row = self.revisions[publication["revision_id"]]["content"]
        return content

    def _find_clinic(self) -> Row | None:
        """The content of the clinic, in the language that it names first."""
        for document in self.documents:
            content = document["kind"] == "clinic" and self._content_in_effect(document)
            if content and content["locales"][0] == document["locale"]:
                self.locale, self.zone = document["locale"], ZoneInfo(content["time_zone"])
                return content
        return None

    def _find_document(self, kind: str) -> Row | None:
        key = (kind, self.locale)
        return next((row for row in self.documents if (row["kind"], row["locale"]) == key), None)

    def _find_single(self, kind: str) -> Row | None:
        document = self._find_document(kind)
        return self._content_in_effect(document) if document else None

    def _make_forms(self) -> None:
        document = self._find_document("form")
        history = self.histories[document["id"]] if document else []
        published: dict[int, Row] = {}
        for publication in filter(self._is_text, history):
            published.setdefault(publication["revision_id"], publication)
        current = _in_effect(history, self.now)
        if current is None or not self._is_text(current):
            return
        form = self._content(current)
        if missing := list(_missing_in(form)):
            raise MigrationRefused(
                "the older version cannot use the form, which lacks "
                f"{', '.join(missing)}. Nothing was changed: publish a form that has them, or "
                "restore a backup of the older version"
            )
        versions = {
            self.revisions[revision]["number"]: (self._content(first), first["from_at"])
            for revision, first in published.items()
        }
        # Another upgrade finds the time of the filling in the first version.
        versions[min(versions)] = versions[min(versions)][0], self.filled_at
        # The older version uses the highest version, so a form that is in effect again gets a new
        # number.
        newest = max(versions)
        if self.revisions[current["revision_id"]]["number"] != newest:
            versions[newest + 1] = form, current["from_at"]
        self.rows["consultation_form"] = [
            {"version": number, "document": _old_form(content, number), "published_at": at}
            for number, (content, at) in sorted(versions.items())
        ]

    def _make_text(self, document: Row) -> None:
        kind, slug = document["kind"], document["slug"]
        history = self.histories[document["id"]]
        current = _in_effect(history, self.now)
        if current and current["type"] == "moved":
            former = {"kind": kind, "slug": slug, "current_slug": current["moved_to"]}
            self.rows["former_slug"].append(former)
            return
        published = [p for p in history if self._is_text(p)]
        is_public = bool(current and current["type"] == "published")
        # The content of the revision in effect can be blanked.
        if not published or (is_public and current not in published):
            return
        if is_public:
            published = published[: published.index(current) + 1]
        content = self._content(published[-1])
        if is_public and self.state not in (content.get("shown_in") or [self.state]):
            return
        make = _old_section if kind == "section" else _old_faq
        row = {"slug": slug, **make(content, self.state)}
        row |= {"version": self.revisions[published[-1]["revision_id"]]["number"]}
        row |= {"withdrawn_on": self._withdrawn_on(history), **self._days(content, history)}
        if kind == "section":
            row |= self._review(published)
        self.rows[kind].append(row)

    def _days(self, content: Row, history: Sequence[Row]) -> Row:
        """When the text was published and changed; the time of the filling if it is not known."""
        published = [p for p in history if p["type"] == "published" and p["from_at"] <= self.now]
        known = [p for p in published if not p["is_first_filling"]]
        majors = [p["from_at"] for p in known if p["change"] == "major"]
        first = published[0]["from_at"] if published[0] in known else None
        own_day = self._start_of(content.get("published_on"))
        published_at = own_day or first or self.filled_at
        changed = [own_day, self._start_of(content.get("updated_on")), *(majors or [first])]
        return {
            "published_at": published_at,
            "updated_at": max((at for at in changed if at), default=published_at),
        }

    def _start_of(self, day: str | None) -> datetime | None:
        if day is None:
            return None
        start = datetime.combine(date.fromisoformat(day), time.min, self.zone)
        # Nothing that is public can have been published later than now.
        return min(start.astimezone(UTC), self.now)

    def _withdrawn_on(self, history: Sequence[Row]) -> date | None:
        """The day from which the text is withdrawn for good, in the clinic's time zone."""
        boundaries = {at for p in history for at in (p["from_at"], p["until_at"]) if at}
        gone_at: datetime | None = None
        for at in sorted(boundaries):
            # The older version cannot plan that a withdrawn text returns.
            if gone_at and at > self.now and gone_at <= self.now:
                break
            found = _in_effect(history, at)
            is_gone = found is None or found["type"] in ("gone", "recalled")
            gone_at = (gone_at or at) if is_gone else None
        return gone_at.astimezone(self.zone).date() if gone_at else None

    def _review(self, published: Sequence[Row]) -> Row:
        found: Row = {}
        for publication in reversed(published):
            found = self.approvals.get(publication["revision_id"], {})
            # A review still counts after minor changes of the text that was reviewed.
            if found or publication["change"] == "major":
                break
        return {
            "last_reviewed_on": found.get("reviewed_on"),
            "next_review_due_on": found.get("next_review_due_on"),
        }


def _in_effect(history: Sequence[Row], at: datetime) -> Row | None:
    """The publication in effect at a time: the latest that has begun and has not ended."""
    for publication in reversed(history):
        until = publication["until_at"]
        if publication["from_at"] <= at and (until is None or until > at):
            return publication
    return None


def _old_clinic(content: Row) -> Row:
    hours = content.get("opening_hours")
    return {
        "id": 1,
        **_only(content, "name", "locality", "region", "country", "time_zone", "contact",
                "treatments", "conditions"),
        "locale": content["locales"][0],
        "opening_hours": hours and [
            {"day": row["day"], "opens": f"{row['opens']}:00", "closes": f"{row['closes']}:00"}
            for row in hours
        ],
    }  # fmt: skip


def _old_status(content: Row) -> Row:
    return {
        "id": 1,
        **_only(content, "texts", "closure"),
        "alternatives": content.get("alternatives") or [],
        "safety_resources": content.get("safety_resources") or [],
    }


def _missing_in(form: Row) -> Iterator[str]:
    """The parts that version 0.1.0 needs in a form and that this form lacks."""
    for name in _FIELDS:
        if name not in form["fields"]:
            yield f"the field `{name}`"
        else:
            labels = _labels(form, name)
            yield from (f"the {name} `{value}`" for value in _CHOICES.get(name, ())
                        if value not in labels)  # fmt: skip
    yield from (f"the message `{code}`" for code in _CODES if code not in form["messages"])


def _labels(form: Row, name: str) -> dict[str, str]:
    choices = form["topics"] if name == "topic" else form["fields"].get(name, {}).get("choices")
    known = _CHOICES.get(name, ())
    return {c["value"]: c["label"] for c in choices or [] if c["value"] in known}


def _old_form(form: Row, version: int) -> Row:
    """A version of the form. A replaced one can lack what the older version needs."""
    consent = form["consents"][0]
    consent_field = {
        "label": None,
        "help": consent.get("help"),
        "autocomplete": None,
        "input_mode": None,
        "widget": "checkbox",
    }
    fields = {
        name: {
            **_only(field, "label", "help", "autocomplete", "input_mode"),
            "widget": field["widget"] if field["widget"] in _WIDGETS else "text",
        }
        for name, field in form["fields"].items()
        if name in _FIELDS
    }
    return {
        "version": version,
        **_only(form, "safety_notice", "confirmation"),
        "consents": [_only(consent, "purpose", "field", "version", "required", "text")],
        "fields": {**fields, _CONSENT: consent_field},
        "choices": {name: _labels(form, name) for name in _CHOICES},
        "messages": {code: text for code, text in form["messages"].items() if code in _CODES},
        "next_steps": form["next_steps"],
    }


def _old_section(content: Row, state: str) -> Row:
    bodies = content.get("body_by_state")
    return {
        **_only(content, "title", "summary", "position", "notices", "references", "call_to_action",
                "image"),
        "markdown": _of_state(bodies, state) if bodies else content["body"],
    }  # fmt: skip


def _old_faq(content: Row, state: str) -> Row:
    answer, answers = content.get("answer"), content.get("answer_by_state")
    if by_mode := content.get("answer_by_mode"):
        answers = {name: by_mode[mode] for name, mode in _USUAL_MODES.items()}
    elif answers and len(answers) < len(_USUAL_MODES):
        answer, answers = _of_state(answers, state), None
    return {
        **_only(content, "question", "topic", "section", "answered", "notices", "position"),
        "answer": answer,
        "answers": answers,
    }


def _of_state(texts: Mapping[str, str], state: str) -> str:
    # A withdrawn text may lack the present state. No version shows it.
    return texts.get(state) or next(iter(texts.values()))


def _create_old_tables() -> Iterator[sa.Table]:
    """Creates the old tables one by one. Their types store `None` as NULL and not as JSON."""
    yield op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("locality", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("contact", _JSON, nullable=False),
        sa.Column("opening_hours", _JSON, nullable=True),
        sa.Column("treatments", _JSON, nullable=False),
        sa.Column("conditions", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )
    yield op.create_table(
        "consultation_form",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", _JSON, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consultation_form")),
    )
    yield op.create_table(
        "faq",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answers", _JSON, nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("notices", _JSON, nullable=False),
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
    yield op.create_table(
        "former_slug",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("current_slug", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "slug", name=op.f("pk_former_slug")),
    )
    yield op.create_table(
        "notice",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_notice")),
    )
    yield op.create_table(
        "section",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("markdown", sa.String(), nullable=False),
        sa.Column("notices", _JSON, nullable=False),
        sa.Column("references", _JSON, nullable=False),
        sa.Column("call_to_action", _JSON, nullable=True),
        sa.Column("image", _JSON, nullable=True),
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
    yield op.create_table(
        "status_content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("texts", _JSON, nullable=False),
        sa.Column("closure", _JSON, nullable=False),
        sa.Column("alternatives", _JSON, nullable=False),
        sa.Column("safety_resources", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_content")),
    )
