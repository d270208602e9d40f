"""Creates, saves and blanks documents, each with its audit event."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from data.audit.events import record_event
from data.documents.effective import not_called_off
from data.documents.published import find_published
from data.documents.revisions import (
    add_document,
    blank_revision,
    find_document,
    find_newest_revision,
    find_revision,
    lock_documents,
    save_revision,
)
from models.audit import Action
from models.document import (
    SINGLE_KINDS,
    Document,
    DocumentKey,
    Editor,
    Origin,
    Publication,
    PublicationCallingOff,
    Revision,
)
from models.values import Input, utc_now


class SlugTaken(Exception):
    """There is a document with this kind, slug and locale."""


class ImpossibleName(Exception):
    """The new document cannot have this name; `field` is the part that is wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class RevisionInUse(Exception):
    """The revision is public, or can become public without another publication."""


def subject_of(key: DocumentKey) -> str:
    """The name of a document as the subject of an audit event."""
    return "/".join(key)


def find_tag(session: Session, *, document: Document) -> str:
    """An opaque text that changes with each change of the document.

    Changes are new revisions, blanking, publications, withdrawals and callings off.
    """
    of_document = col(Revision.document_id) == document.id
    published = col(Publication.document_id) == document.id
    called_off = select(func.count()).where(
        col(PublicationCallingOff.publication_id) == col(Publication.id), published
    )
    facts = session.connection().execute(
        select(
            select(func.max(Revision.id)).where(of_document).scalar_subquery(),
            select(func.count())
            .select_from(Revision)
            .where(of_document, col(Revision.content).is_(None))
            .scalar_subquery(),
            select(func.max(Publication.id)).where(published).scalar_subquery(),
            called_off.scalar_subquery(),
        )
    )
    text = f"{document.id} {tuple(facts.one())}"
    return hashlib.blake2s(text.encode(), digest_size=12).hexdigest()


def find_for_change(session: Session, *, key: DocumentKey) -> Document | None:
    """A document that cannot be changed by others until this transaction ends."""
    lock_documents(session)
    return find_document(session, key=key)


@dataclass(frozen=True)
class Saved:
    """A document, and its newest revision."""

    document: Document
    revision: Revision


def create_document(
    session: Session,
    *,
    key: DocumentKey,
    content: Input,
    editor: Editor,
    note: str | None = None,
    origin: Origin = Origin.STAFF,
) -> Saved:
    """Adds a document with its first revision. Raises `ImpossibleName` or `SlugTaken`."""
    lock_documents(session)
    if key.kind in SINGLE_KINDS and key.slug != key.kind:
        raise ImpossibleName("slug")
    if key.locale not in find_published(session).clinic.locales:
        raise ImpossibleName("locale")
    if find_document(session, key=key) is not None:
        raise SlugTaken
    document = add_document(session, key=key)
    revision = save_revision(
        session, document=document, content=content, origin=origin, editor=editor, note=note
    )
    _record(session, document, Action.DOCUMENT_CREATED, revision, editor)
    return Saved(document, revision)


def save_document(
    session: Session,
    *,
    document: Document,
    content: Input,
    editor: Editor,
    note: str | None = None,
    origin: Origin = Origin.STAFF,
) -> Revision:
    """Saves another revision. The content of the newest one makes no new one, and no event."""
    lock_documents(session)
    before = find_newest_revision(session, document=document)
    revision = save_revision(
        session, document=document, content=content, origin=origin, editor=editor, note=note
    )
    if before is None or revision.id != before.id:
        _record(session, document, Action.DOCUMENT_SAVED, revision, editor)
    return revision


def blank_document_revision(
    session: Session, *, document: Document, number: int, editor: Editor
) -> Revision | None:
    """Removes the content of a revision permanently, for example of personal data.

    A repeated call changes nothing. `None` for an unknown number. Raises `RevisionInUse`.
    """
    lock_documents(session)
    revision = find_revision(session, document=document, number=number)
    if revision is None or revision.content is None:
        return revision
    if revision.id in find_revisions_in_use(session, document=document, now=utc_now()):
        raise RevisionInUse
    blank_revision(session, revision=revision)
    session.refresh(revision)
    _record(session, document, Action.DOCUMENT_BLANKED, revision, editor)
    return revision


def find_revisions_in_use(
    session: Session, *, document: Document, now: datetime
) -> set[int | None]:
    """Ids of the revisions that are public, or can become public without another publication.

    A publication that has begun can be in effect again when later ones end.
    """
    rows = session.exec(
        select_rows(Publication)
        .where(Publication.document_id == document.id, not_called_off())
        .order_by(col(Publication.from_at), col(Publication.id))
    ).all()
    return {row.revision_id for row in _not_replaced(rows, now)}


def _not_replaced(rows: Iterable[Publication], now: datetime) -> Iterable[Publication]:
    """The publications that have not ended, and that no later one replaces until their end.

    A planned publication replaces none, because it can be called off.
    """
    current = [row for row in rows if row.until_at is None or row.until_at > now]
    for index, row in enumerate(current):
        later = [other for other in current[index + 1 :] if other.from_at <= now]
        if not any(
            other.until_at is None or (row.until_at and row.until_at <= other.until_at)
            for other in later
        ):
            yield row


def _record(
    session: Session, document: Document, action: Action, revision: Revision, editor: Editor
) -> None:
    record_event(
        session,
        actor=editor.actor,
        action=action,
        subject=subject_of(document.key),
        details={"revision": revision.number, "origin": revision.origin},
    )
