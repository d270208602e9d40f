"""Reads which publications are in effect at a time, and the revisions that they publish.

Of the publications of a document that were not called off and whose interval contains the time, the
one with the latest beginning is in effect, and of several of these the one recorded last.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from models.document import (
    ChangeSize,
    Document,
    DocumentKey,
    Kind,
    Publication,
    PublicationCallingOff,
    PublicationType,
    Review,
    Revision,
    Verdict,
)
from models.document_content import read_stored
from models.publication import Moved, Withdrawn
from models.values import Input


class TextDays(NamedTuple):
    """When a text was published, changed and reviewed. A value is `None` if it is not known."""

    first_published_at: datetime | None = None
    last_major_at: datetime | None = None
    reviewed_on: date | None = None
    next_review_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class PublishedText:
    """A document whose revision `number` is public."""

    key: DocumentKey
    number: int
    content: Input
    days: TextDays


class _InEffect(NamedTuple):
    """The publication of a document in effect; `None` if all have ended. `begun` counts all."""

    publication_id: int | None
    begun: int


class PastPublication(NamedTuple):
    """A publication that has begun."""

    document_id: int
    id: int
    type: str
    revision_id: int | None
    from_at: datetime
    until_at: datetime | None
    change: str
    is_first_filling: bool
    reason: str | None
    moved_to: str | None


@dataclass(frozen=True)
class EffectivePublications:
    """What each document leads to. The other fields are kept for the next reading."""

    texts: Mapping[DocumentKey, PublishedText | Moved | Withdrawn]
    keys: Mapping[int, DocumentKey]
    in_effect: Mapping[int, _InEffect]
    histories: Mapping[int, Sequence[PastPublication]]
    revisions: Mapping[int, tuple[int, Input]]


def not_called_off() -> ColumnElement[bool]:
    """The condition that a publication was not called off."""
    return col(Publication.id).not_in(select(PublicationCallingOff.publication_id))


def holds_at(now: datetime) -> ColumnElement[bool]:
    """The condition that the interval of a publication contains a time."""
    until = col(Publication.until_at)
    return (col(Publication.from_at) <= now) & or_(until.is_(None), until > now)


def in_effect_at(history: Sequence[PastPublication], at: datetime) -> PastPublication | None:
    """The publication in effect at a time. `history` is sorted by the beginnings."""
    holding = (
        p for p in reversed(history) if p.from_at <= at and not (p.until_at and p.until_at <= at)
    )
    return next(holding, None)


def find_next_boundary(session: Session, *, now: datetime) -> datetime | None:
    """When the next publication begins or ends; `None` for never."""
    instants = [
        session.exec(select(func.min(column)).where(column > now, not_called_off())).one()
        for column in (col(Publication.from_at), col(Publication.until_at))
    ]
    return min((instant for instant in instants if instant), default=None)


def read_effective(
    session: Session, *, now: datetime, previous: EffectivePublications | None
) -> EffectivePublications:
    """What is public at `now`. Reads only the revisions and histories that `previous` lacks."""
    keys, in_effect = _find_in_effect(session, now)
    known = previous.in_effect if previous else {}
    new = [
        document_id for document_id, found in in_effect.items() if found != known.get(document_id)
    ]
    histories = {
        document_id: past
        for document_id, past in (previous.histories.items() if previous else ())
        if document_id in in_effect
    } | _read_histories(session, documents=new, now=now)
    current = {
        document_id: next((p for p in histories[document_id] if p.id == found.publication_id), None)
        for document_id, found in in_effect.items()
    }
    wanted = {past.revision_id for past in current.values() if past and past.revision_id}
    revisions = _read_revisions(session, wanted, previous.revisions if previous else {})
    reviews = _read_approvals(session)
    texts = {
        keys[document_id]: _lead(
            keys[document_id], past, histories[document_id], revisions, reviews
        )
        for document_id, past in current.items()
    }
    return EffectivePublications(texts, keys, in_effect, histories, revisions)


def _find_in_effect(
    session: Session, now: datetime
) -> tuple[dict[int, DocumentKey], dict[int, _InEffect]]:
    of_document = col(Publication.document_id) == Document.id
    newest_first = (col(Publication.from_at).desc(), col(Publication.id).desc())
    in_effect = (
        select_columns(col(Publication.id))
        .where(of_document, holds_at(now), not_called_off())
        .order_by(*newest_first)
        .limit(1)
        .scalar_subquery()
    )
    begun = (
        select_columns(func.count())
        .select_from(Publication)
        .where(of_document, col(Publication.from_at) <= now, not_called_off())
        .scalar_subquery()
    )
    columns = (Document.id, Document.kind, Document.slug, Document.locale, in_effect, begun)
    keys, found = {}, {}
    for document_id, kind, slug, locale, publication_id, count in session.connection().execute(
        select_columns(*columns)  # type: ignore[call-overload] # columns of one table
    ):
        if count:
            keys[document_id] = DocumentKey(Kind(kind), slug, locale)
            found[document_id] = _InEffect(publication_id, count)
    return keys, found


def _read_histories(
    session: Session, *, documents: Collection[int], now: datetime
) -> dict[int, list[PastPublication]]:
    """The publications of these documents that have begun, the earliest first."""
    histories: dict[int, list[PastPublication]] = {document_id: [] for document_id in documents}
    if not documents:
        return histories
    query = select_columns(
        *(col(getattr(Publication, name)) for name in PastPublication._fields)
    ).where(col(Publication.from_at) <= now, not_called_off())
    if len(documents) < 500:
        query = query.where(col(Publication.document_id).in_(documents))
    for row in session.connection().execute(
        query.order_by(col(Publication.from_at), col(Publication.id))
    ):
        past = PastPublication(*row)
        if past.document_id in histories:
            histories[past.document_id].append(past)
    return histories


def _read_revisions(
    session: Session, wanted: Iterable[int], known: Mapping[int, tuple[int, Input]]
) -> dict[int, tuple[int, Input]]:
    """The numbers and contents of revisions, by their ids."""
    wanted = set(wanted)
    revisions = {key: value for key, value in known.items() if key in wanted}
    missing = wanted - revisions.keys()
    if missing:
        rows = session.exec(
            select(Revision.id, Revision.number, Revision.content, Document.kind)
            .join(Document, col(Document.id) == Revision.document_id)
            .where(col(Revision.id).in_(missing))
        )
        for revision_id, number, content, kind in rows:
            revisions[revision_id or 0] = number, read_stored(Kind(kind), content or {})
    return revisions


def _read_approvals(session: Session) -> dict[int, tuple[date, date | None]]:
    """The days of the newest approval of each approved revision, by its id."""
    rows = session.exec(
        select(col(Review.revision_id), col(Review.reviewed_on), col(Review.next_review_due_on))
        .where(Review.verdict == Verdict.APPROVED)
        .order_by(col(Review.id))
    )
    return {revision_id: (reviewed_on, due_on) for revision_id, reviewed_on, due_on in rows}


def _lead(
    key: DocumentKey,
    past: PastPublication | None,
    history: Sequence[PastPublication],
    revisions: Mapping[int, tuple[int, Input]],
    approvals: Mapping[int, tuple[date, date | None]],
) -> PublishedText | Moved | Withdrawn:
    if past is None:
        return Withdrawn(reason=None, is_recalled=False)
    if past.moved_to is not None:
        return Moved(past.moved_to)
    if past.revision_id is None:
        return Withdrawn(past.reason, is_recalled=past.type == PublicationType.RECALLED)
    number, content = revisions[past.revision_id]
    return PublishedText(key, number, content, _days(past, history, approvals))


def _days(
    current: PastPublication,
    history: Sequence[PastPublication],
    approvals: Mapping[int, tuple[date, date | None]],
) -> TextDays:
    published = [past for past in history if past.type == PublicationType.PUBLISHED]
    first = published[0]
    majors = [
        p.from_at for p in published if p.change == ChangeSize.MAJOR and not p.is_first_filling
    ]
    first_at = None if first.is_first_filling else first.from_at
    reviewed_on, due_on = None, None
    for past in reversed(published[: published.index(current) + 1]):
        if approval := approvals.get(past.revision_id or 0):
            reviewed_on, due_on = approval
        # A review still counts after minor changes of the text that was reviewed.
        if reviewed_on or past.change == ChangeSize.MAJOR:
            break
    return TextDays(first_at, max(majors, default=first_at), reviewed_on, due_on)
