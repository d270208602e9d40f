"""Reads which publications are in effect at a time, and the revisions that they publish.

Of the publications of a document that were not called off and whose interval contains the time, the
one with the latest beginning is in effect, and of several of these the one recorded last.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """The result for each document at a time: a published text, a redirect or a withdrawal.

    `texts` has these results. The next reading starts from the other fields.
    """

    version: int
    at: datetime
    texts: Mapping[DocumentKey, PublishedText | Moved | Withdrawn] = field(default_factory=dict)
    keys: Mapping[int, DocumentKey] = field(default_factory=dict)
    # By document: the publication in effect, and all that have begun, by their beginning.
    in_effect: Mapping[int, PastPublication | None] = field(default_factory=dict)
    histories: Mapping[int, Sequence[PastPublication]] = field(default_factory=dict)
    # By revision: its number and content, and the days of its approval.
    revisions: Mapping[int, tuple[int, Input]] = field(default_factory=dict)
    approvals: Mapping[int, tuple[date, date | None]] = field(default_factory=dict)


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
    session: Session, *, version: int, now: datetime, previous: EffectivePublications | None
) -> EffectivePublications:
    """The published documents at `now`, in a transaction that sees this content version.

    Of what `previous` has, it reads only the documents again that may have changed since then.
    """
    if previous is None or previous.at > now:
        previous = EffectivePublications(version, now)
        changed = None
    else:
        changed = _find_changed(session, previous, now)
    found = _find_in_effect(session, now, changed)
    keys = {**previous.keys, **_read_keys(session, found.keys() - previous.keys.keys())}
    histories = {**previous.histories, **_read_histories(session, documents=found, now=now)}
    in_effect = {
        **previous.in_effect,
        **{document_id: _by_id(histories[document_id], id_) for document_id, id_ in found.items()},
    }
    revisions = _read_revisions(session, in_effect.values(), previous.revisions)
    approvals = _read_approvals(session)
    # Reviews are part of every text.
    outdated = found if approvals == previous.approvals else in_effect
    texts = {
        **previous.texts,
        **{
            keys[document_id]: _lead(
                keys[document_id],
                in_effect[document_id],
                histories[document_id],
                revisions,
                approvals,
            )
            for document_id in outdated
        },
    }
    return EffectivePublications(
        version, now, texts, keys, in_effect, histories, revisions, approvals
    )


def _by_id(history: Sequence[PastPublication], id_: int | None) -> PastPublication | None:
    return next((past for past in reversed(history) if past.id == id_), None)


def _find_changed(
    session: Session, previous: EffectivePublications, now: datetime
) -> Collection[int]:
    """The documents with a publication that is new, was called off, has begun or has ended."""
    since, version = previous.at, previous.version
    from_at, until_at = col(Publication.from_at), col(Publication.until_at)
    called_off = select(PublicationCallingOff.publication_id).where(
        PublicationCallingOff.written_in > version
    )
    conditions = (
        col(Publication.written_in) > version,
        (from_at > since) & (from_at <= now),
        (until_at > since) & (until_at <= now),
        col(Publication.id).in_(called_off),
    )
    # Not one query with `OR`: each of these uses an index.
    return {
        document_id
        for condition in conditions
        for document_id in session.exec(select(Publication.document_id).where(condition))
    }


def _find_in_effect(
    session: Session, now: datetime, documents: Collection[int] | None
) -> dict[int, int | None]:
    """The publication in effect of each document of which one has begun; `None` if all have ended.

    Without `documents`, of all documents.
    """
    of_document = col(Publication.document_id) == Document.id
    has_begun = (of_document, col(Publication.from_at) <= now, not_called_off())
    in_effect = (
        select_columns(col(Publication.id))
        .where(of_document, holds_at(now), not_called_off())
        .order_by(col(Publication.from_at).desc(), col(Publication.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select_columns(col(Document.id), in_effect).where(
        select_columns(col(Publication.id)).where(*has_begun).exists()
    )
    if documents is not None:
        query = query.where(col(Document.id).in_(documents))
    return {row[0]: row[1] for row in session.connection().execute(query)}


def _read_keys(session: Session, documents: Collection[int]) -> dict[int, DocumentKey]:
    if not documents:
        return {}
    rows = session.exec(select(Document).where(col(Document.id).in_(documents)))
    return {row.id or 0: row.key for row in rows}


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
    session: Session,
    published: Iterable[PastPublication | None],
    known: Mapping[int, tuple[int, Input]],
) -> dict[int, tuple[int, Input]]:
    """The numbers and contents of the published revisions, by their ids."""
    wanted = {past.revision_id for past in published if past and past.revision_id}
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
