"""Documents: the clinic's texts, their revisions and their publications."""

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.values import JSONColumn


class Kind(StrEnum):
    """The kinds of documents."""

    CLINIC = "clinic"
    STATUS = "status"
    FORM = "form"
    NOTICES = "notices"
    SYNONYMS = "synonyms"
    SECTION = "section"
    FAQ = "faq"


# Of these kinds there is one document for each locale. Its slug is its kind.
SINGLE_KINDS = frozenset(Kind) - {Kind.SECTION, Kind.FAQ}


class DocumentKey(NamedTuple):
    """The name of a document. `locale` is a BCP 47 tag."""

    kind: Kind
    slug: str
    locale: str


class Origin(StrEnum):
    """Where a revision comes from."""

    FILE = "file"
    STAFF = "staff"
    MIGRATION = "migration"


class PublicationType(StrEnum):
    """Whether a publication publishes a revision, or how it withdraws the text."""

    PUBLISHED = "published"
    GONE = "gone"
    MOVED = "moved"
    RECALLED = "recalled"


class ChangeSize(StrEnum):
    """A major change moves the public `updated_at`."""

    MAJOR = "major"
    MINOR = "minor"


class Verdict(StrEnum):
    """The result of a review."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class Editor(NamedTuple):
    """The person or program that changes a document.

    `actor` is the id for the audit, `name` the owner of the token.
    """

    actor: str
    name: str


class Document(SQLModel, table=True):
    """One text in one language. A document without revisions only redirects to another slug."""

    __table_args__ = (UniqueConstraint("kind", "slug", "locale"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=20)
    slug: str = Field(max_length=80)
    locale: str = Field(max_length=35)

    @property
    def key(self) -> DocumentKey:
        return DocumentKey(Kind(self.kind), self.slug, self.locale)


class Revision(SQLModel, table=True):
    """One version of a document's content: appended, never edited.

    `content` is `None` only after it was blanked because it contained personal data.
    """

    __table_args__ = (UniqueConstraint("document_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id")
    number: int
    content: dict[str, object] | None = Field(sa_type=JSONColumn)
    origin: str = Field(max_length=10)
    author: str
    note: str | None
    saved_at: datetime


class Publication(SQLModel, table=True):
    """Makes a revision public, or withdraws the text, from `from_at` on: appended, never edited."""

    __table_args__ = (
        Index("ix_publication_document_id_from_at_id", "document_id", "from_at", "id"),
        Index("ix_publication_from_at", "from_at"),
        Index("ix_publication_until_at", "until_at"),
        Index("ix_publication_written_in", "written_in"),
    )

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id")
    # `None` for a withdrawal.
    revision_id: int | None = Field(foreign_key="revision.id")
    type: str = Field(max_length=10)
    from_at: datetime
    until_at: datetime | None
    change: str = Field(max_length=5)
    note: str | None
    reason: str | None
    moved_to: str | None = Field(max_length=80)
    # Whether it filled an empty database. Then the day of the real publication is not known.
    is_first_filling: bool
    # The content version of the transaction that recorded it.
    written_in: int
    recorded_at: datetime
    by: str


class PublicationCallingOff(SQLModel, table=True):
    """Calls off a planned publication before its time: appended, never edited."""

    __tablename__ = "publication_calling_off"

    publication_id: int = Field(primary_key=True, foreign_key="publication.id")
    written_in: int
    at: datetime
    by: str


class Review(SQLModel, table=True):
    """An expert's verdict about one revision: appended, never edited."""

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    verdict: str = Field(max_length=20)
    # The day of the expert's check.
    reviewed_on: date
    next_review_due_on: date | None
    by: str
    comment: str | None
    written_in: int
    at: datetime
