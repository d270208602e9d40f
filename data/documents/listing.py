"""Lists documents for staff, with the state of each, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from data.documents.effective import holds_at, not_called_off
from data.documents.published import find_published
from data.paging import Cursor, Page, page_of
from models.document import Document, Kind, Publication, PublicationType, Review, Revision, Verdict
from models.document_output import (
    DocumentLine,
    DocumentReview,
    DocumentState,
    PlannedPublication,
    ReviewState,
)
from models.values import utc_now

# A review is due so long before its day.
_DUE = timedelta(days=30)
_NOT_REVIEWED = DocumentReview(
    status=ReviewState.NONE,
    revision=None,
    reviewed_by=None,
    reviewed_on=None,
    next_review_due_on=None,
)


@dataclass(frozen=True)
class DocumentFilter:
    """The documents that a list has; `None` stands for any value."""

    kind: Kind | None = None
    locale: str | None = None
    state: DocumentState | None = None
    review: ReviewState | None = None


class _Row(NamedTuple):
    """A document, its newest revision, and its publication in effect."""

    id: int
    kind: str
    slug: str
    locale: str
    newest_revision: int | None
    updated_at: datetime | None
    updated_by: str | None
    in_effect: int | None
    was_public: bool


def list_documents(
    session: Session, *, wanted: DocumentFilter, limit: int | None, after: Cursor | None
) -> Page[DocumentLine]:
    """A page of the documents by kind, slug and locale. Raises `WrongCursor`."""
    conditions = [
        column == value
        for column, value in (
            (col(Document.kind), wanted.kind),
            (col(Document.locale), wanted.locale),
        )
        if value is not None
    ]
    lines = _read_lines(session, conditions)
    matching = sorted(
        (
            item
            for item in lines.items()
            if wanted.state in (None, item[1].state)
            if wanted.review in (None, item[1].review.status)
        ),
        key=lambda item: _order_of(item[1]),
    )
    page = page_of(matching, key=lambda item: _order_of(item[1]), limit=limit, after=after)
    titles = _read_titles(session, [document_id for document_id, _ in page.items])
    return page.with_items(
        [line.model_copy(update={"title": titles.get(key)}) for key, line in page.items]
    )


def find_line(session: Session, *, document: Document) -> DocumentLine:
    """One document as the list has it."""
    [(document_id, line)] = _read_lines(session, [col(Document.id) == document.id]).items()
    return line.model_copy(update={"title": _read_titles(session, [document_id]).get(document_id)})


def _order_of(line: DocumentLine) -> tuple[str, str, str]:
    return str(line.kind), line.slug, line.locale


def _read_lines(
    session: Session, conditions: Sequence[ColumnElement[bool]]
) -> dict[int, DocumentLine]:
    """The documents that meet all conditions, without their titles, by their ids."""
    now = utc_now()
    rows = _read_rows(session, conditions, now)
    live = _read_live_revisions(session, [row.in_effect for row in rows if row.in_effect])
    planned = read_planned(session, now=now, conditions=conditions)
    today = now.astimezone(find_published(session, at=now).clinic.zone).date()
    reviews = _read_reviews(session, conditions, today)
    return {
        row.id: DocumentLine(
            kind=Kind(row.kind),
            slug=row.slug,
            locale=row.locale,
            title=None,
            state=_state_of(row, live.get(row.in_effect or 0), planned[row.id]),
            live_revision=live.get(row.in_effect or 0),
            newest_revision=row.newest_revision,
            planned=planned[row.id],
            review=reviews.get(row.id, _NOT_REVIEWED),
            updated_at=row.updated_at,
            updated_by=row.updated_by,
        )
        for row in rows
    }


def _state_of(row: _Row, live: int | None, planned: Iterable[PlannedPublication]) -> DocumentState:
    if live is not None:
        return DocumentState.LIVE if live == row.newest_revision else DocumentState.CHANGED
    if any(item.type is PublicationType.PUBLISHED for item in planned):
        return DocumentState.PLANNED
    return DocumentState.WITHDRAWN if row.was_public else DocumentState.DRAFT


def _read_rows(
    session: Session, conditions: Sequence[ColumnElement[bool]], now: datetime
) -> list[_Row]:
    newest, other = aliased(Revision), aliased(Revision)
    newest_id = (
        select_columns(col(other.id))
        .where(col(other.document_id) == col(Document.id))
        .order_by(col(other.number).desc())
        .limit(1)
        .scalar_subquery()
    )
    of_document = col(Publication.document_id) == col(Document.id)
    in_effect = (
        select_columns(col(Publication.id))
        .where(of_document, holds_at(now), not_called_off())
        .order_by(col(Publication.from_at).desc(), col(Publication.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    was_public = (
        select_columns(col(Publication.id))
        .where(of_document, col(Publication.from_at) <= now, not_called_off())
        .exists()
    )
    columns = (
        *(col(getattr(Document, name)) for name in ("id", "kind", "slug", "locale")),
        *(col(getattr(newest, name)) for name in ("number", "saved_at", "author")),
        in_effect,
        was_public,
    )
    query = (
        select_columns(*columns)
        .select_from(Document)
        .outerjoin(newest, col(newest.id) == newest_id)
        .where(*conditions)
    )
    return [_Row(*row) for row in session.connection().execute(query)]


def _read_live_revisions(session: Session, publications: Sequence[int]) -> dict[int, int]:
    """The numbers of the revisions of these publications, by the ids of the publications."""
    rows = session.exec(
        select(col(Publication.id), col(Revision.number))
        .join(Revision, col(Revision.id) == col(Publication.revision_id))
        .where(col(Publication.id).in_(publications))
    )
    return {publication_id or 0: number for publication_id, number in rows}


def read_planned(
    session: Session, *, now: datetime, conditions: Sequence[ColumnElement[bool]]
) -> Mapping[int, list[PlannedPublication]]:
    """The planned publications of the documents that meet the conditions, the next one first.

    The result has a list for each id of a document.
    """
    rows = session.exec(
        select(Publication, Revision.number)
        .join(Document, col(Document.id) == col(Publication.document_id))
        .outerjoin(Revision, col(Revision.id) == col(Publication.revision_id))
        .where(col(Publication.from_at) > now, not_called_off(), *conditions)
        .order_by(col(Publication.from_at), col(Publication.id))
    )
    planned: dict[int, list[PlannedPublication]] = defaultdict(list)
    for publication, number in rows:
        planned[publication.document_id].append(
            PlannedPublication.model_validate(facts_of(publication, number))
        )
    return planned


def facts_of(publication: Publication, number: int | None) -> dict[str, object]:
    """The fields of a publication for an output; `number` is that of its revision."""
    is_published = publication.type == PublicationType.PUBLISHED
    return {
        **publication.model_dump(),
        "revision": number,
        "change": publication.change if is_published else None,
        "recorded_by": publication.by,
    }


def _read_reviews(
    session: Session, conditions: Sequence[ColumnElement[bool]], today: date
) -> dict[int, DocumentReview]:
    """The last review of each document that has one, by the ids of the documents."""
    last = (
        select_columns(func.max(col(Review.id)))
        .join(Revision, col(Revision.id) == col(Review.revision_id))
        .join(Document, col(Document.id) == col(Revision.document_id))
        .where(*conditions)
        .group_by(col(Revision.document_id))
    )
    rows = session.exec(
        select(Review, Revision.number, col(Revision.document_id))
        .join(Revision, col(Revision.id) == col(Review.revision_id))
        .where(col(Review.id).in_(last))
    )
    return {
        document_id: DocumentReview(
            status=_review_state(review, today),
            revision=number,
            reviewed_by=review.by,
            reviewed_on=review.reviewed_on,
            next_review_due_on=review.next_review_due_on,
        )
        for review, number, document_id in rows
    }


def _review_state(review: Review, today: date) -> ReviewState:
    due = review.next_review_due_on
    if review.verdict == Verdict.CHANGES_REQUESTED:
        return ReviewState.CHANGES_REQUESTED
    if due is None or due > today + _DUE:
        return ReviewState.APPROVED
    return ReviewState.OVERDUE if due < today else ReviewState.DUE


def _read_titles(session: Session, documents: Sequence[int]) -> dict[int, str | None]:
    """The title, question or name of each document, from its newest revision with a content."""
    content = col(Revision.content)
    newest = (
        select_columns(func.max(col(Revision.id)))
        .where(col(Revision.document_id).in_(documents), content.is_not(None))
        .group_by(col(Revision.document_id))
    )
    # The database reads the field, because a content can be long.
    fields = [content[name].as_string() for name in ("title", "question", "name")]
    rows = session.connection().execute(
        select_columns(col(Revision.document_id), func.coalesce(*fields)).where(
            col(Revision.id).in_(newest)
        )
    )
    return {row[0]: row[1] for row in rows}
