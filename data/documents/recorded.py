"""The recorded documents, with the facts that content files can contain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from data.documents.effective import PublishedText, in_effect_at, not_called_off
from data.documents.published import Published, find_published
from data.documents.status import find_status
from models.document import (
    Document,
    DocumentKey,
    Origin,
    Publication,
    PublicationType,
    Review,
    Revision,
    Verdict,
)
from models.document_content import read_stored
from models.document_file import FileReview
from models.publication import Moved
from models.status_content import InitialStatus
from models.values import Input, utc_now

WITHDRAWALS = (PublicationType.GONE, PublicationType.RECALLED)


@dataclass(frozen=True)
class RecordedDocument:
    """A document. `newest` and `live` are numbers of revisions; `live` is the public one.

    A document without revisions only redirects. `newest_content` is `None` if it was blanked.
    `withdrawn_on` is the day, in the clinic's time zone, of the withdrawal in effect, or of the
    next planned one while the text is public. `review` is the approval that counts for the public
    revision, `last_review` the newest approval of any revision.
    """

    key: DocumentKey
    newest: int | None = None
    newest_content: Input | None = None
    live: int | None = None
    live_content: Input | None = None
    moved_to: str | None = None
    is_withdrawn: bool = False
    withdrawn_on: date | None = None
    planned: int = 0
    review: FileReview = field(default_factory=FileReview)
    last_review: FileReview = field(default_factory=FileReview)

    @property
    def has_draft(self) -> bool:
        """Whether the newest revision is not the public one."""
        return self.newest is not None and self.newest != self.live and not self.is_withdrawn

    @property
    def file_content(self) -> Input | None:
        """The content for its file: the public one, or the newest one of a withdrawn text."""
        return self.newest_content if self.is_withdrawn else self.live_content


@dataclass(frozen=True)
class RecordedContent:
    """All documents in the clinic's default language. `source` names the database or server."""

    source: str
    locale: str
    zone: ZoneInfo
    initial: InitialStatus
    documents: Mapping[DocumentKey, RecordedDocument]

    def today(self) -> date:
        return utc_now().astimezone(self.zone).date()

    @cached_property
    def former_slugs(self) -> Mapping[DocumentKey, list[str]]:
        """By documents: the slugs that lead there, also those that do so by way of others."""
        slugs: dict[DocumentKey, list[str]] = {}
        for key in sorted(self.documents):
            target = self.target_of(key, moves={})
            if target is not None:
                slugs.setdefault(key._replace(slug=target), []).append(key.slug)
        return slugs

    def target_of(self, key: DocumentKey, *, moves: Mapping[DocumentKey, str]) -> str | None:
        """The slug to which a document leads in the end, after planned `moves`; else `None`."""
        target, passed = None, {key}
        while True:
            document = self.documents.get(key)
            slug = moves.get(key) or (document.moved_to if document else None)
            if slug is None or key._replace(slug=slug) in passed:
                return target
            target, key = slug, key._replace(slug=slug)
            passed.add(key)


def read_recorded(session: Session, *, source: str) -> RecordedContent:
    """Reads what is recorded now. Raises `NotLoaded`."""
    now = utc_now()
    published = find_published(session, at=now)
    documents = _Documents(session, published, now)
    change = find_status(session, at=now).change
    return RecordedContent(
        source=source,
        locale=published.default_locale,
        zone=published.clinic.zone,
        initial=InitialStatus.model_validate(
            {name: getattr(change, name) for name in InitialStatus.model_fields}
        ),
        documents={document.key: document for document in documents.read()},
    )


class _Documents:
    """Reads all documents with a fixed number of queries."""

    def __init__(self, session: Session, published: Published, now: datetime) -> None:
        self.session = session
        self.published = published
        self.now = now
        self.histories = dict(published.histories())
        self.approvals = self._read_approvals()
        self.newest = self._read_newest()
        self.plans = self._read_plans()

    def read(self) -> Iterable[RecordedDocument]:
        locale = self.published.default_locale
        for row in self.session.exec(select(Document).where(Document.locale == locale)):
            yield self._recorded(row)

    def _recorded(self, row: Document) -> RecordedDocument:
        key, document_id = row.key, row.id or 0
        text = self.published.effective.texts.get(key)
        is_live = isinstance(text, PublishedText)
        newest, content = self.newest.get(document_id, (None, None))
        plans = self.plans.get(document_id, [])
        withdrawn_at = None
        if is_live:
            withdrawn_at = min((p.from_at for p in plans if p.type in WITHDRAWALS), default=None)
        elif text is not None and not isinstance(text, Moved):
            withdrawn_at = self._ended_at(key)
        return RecordedDocument(
            key=key,
            newest=newest,
            newest_content=self._content(key, newest, content),
            live=text.number if isinstance(text, PublishedText) else None,
            live_content=text.content if isinstance(text, PublishedText) else None,
            moved_to=text.slug if isinstance(text, Moved) else None,
            is_withdrawn=text is not None and not isinstance(text, PublishedText | Moved),
            withdrawn_on=withdrawn_at
            and withdrawn_at.astimezone(self.published.clinic.zone).date(),
            planned=len(plans),
            review=_review_of(text) if isinstance(text, PublishedText) else FileReview(),
            last_review=self.approvals.get(document_id, FileReview()),
        )

    def _content(
        self, key: DocumentKey, number: int | None, content: dict[str, object] | None
    ) -> Input | None:
        text = self.published.effective.texts.get(key)
        if isinstance(text, PublishedText) and text.number == number:
            return text.content
        return None if content is None else read_stored(key.kind, content)

    def _ended_at(self, key: DocumentKey) -> datetime | None:
        """When a text that is not public any more was withdrawn, or when its publication ended."""
        history = self.histories[key]
        current = in_effect_at(history, self.now)
        if current:
            return current.from_at
        return max((p.until_at for p in history if p.until_at), default=None)

    def _read_newest(self) -> dict[int, tuple[int, dict[str, object] | None]]:
        """The number and content of each document's newest revision."""
        newest = (
            select(col(Revision.document_id), func.max(Revision.number).label("number"))
            .group_by(col(Revision.document_id))
            .subquery()
        )
        rows = self.session.exec(
            select(col(Revision.document_id), col(Revision.number), col(Revision.content)).join(
                newest,
                (newest.c.document_id == Revision.document_id)
                & (newest.c.number == Revision.number),
            )
        )
        return {document_id: (number, content) for document_id, number, content in rows}

    def _read_plans(self) -> dict[int, list[Publication]]:
        """The planned publications and withdrawals of each document."""
        plans: dict[int, list[Publication]] = {}
        wanted = (col(Publication.from_at) > self.now, not_called_off())
        for row in self.session.exec(select(Publication).where(*wanted)):
            plans.setdefault(row.document_id, []).append(row)
        return plans

    def _read_approvals(self) -> dict[int, FileReview]:
        """The newest approval of each document."""
        rows = self.session.exec(
            select(
                col(Revision.document_id), col(Review.reviewed_on), col(Review.next_review_due_on)
            )
            .join(Revision, col(Revision.id) == Review.revision_id)
            .where(Review.verdict == Verdict.APPROVED)
            .order_by(col(Review.id))
        )
        return {
            document_id: FileReview(last_reviewed_on=reviewed_on, next_review_due_on=due_on)
            for document_id, reviewed_on, due_on in rows
        }


def _review_of(text: PublishedText) -> FileReview:
    return FileReview(
        last_reviewed_on=text.days.reviewed_on, next_review_due_on=text.days.next_review_due_on
    )


def find_origin(session: Session, *, key: DocumentKey) -> Origin:
    """Where the newest revision of a document comes from."""
    origin = session.exec(
        select(Revision.origin)
        .join(Document, col(Document.id) == Revision.document_id)
        .where(Document.kind == key.kind, Document.slug == key.slug, Document.locale == key.locale)
        .order_by(col(Revision.number).desc())
        .limit(1)
    ).one()
    return Origin(origin)
