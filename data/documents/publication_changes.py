"""Publishes revisions, withdraws texts and calls off plans, each with its checks and its event."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.documents.editing import subject_of
from data.documents.effective import PublishedText, not_called_off
from data.documents.publication_checks import PublicationFault, find_added_faults
from data.documents.published import find_published
from data.documents.publishing import append_calling_off, append_publication
from data.documents.revisions import find_revision, lock_documents
from models.audit import Action, Details
from models.document import (
    SINGLE_KINDS,
    ChangeSize,
    Document,
    Editor,
    Publication,
    PublicationCallingOff,
    PublicationType,
)
from models.document_content import read_stored
from models.document_input import PublicationCreate, WithdrawalCreate
from models.values import utc_now


class Refused(Exception):
    """A publication or a withdrawal cannot be recorded; `faults` lists all reasons."""

    def __init__(self, faults: Sequence[PublicationFault]) -> None:
        super().__init__("refused")
        self.faults = faults


class PermanentDocument(Exception):
    """A document of this kind is never withdrawn."""


class NeverPublished(Exception):
    """The document was not published before the time of its withdrawal."""


class AlreadyInEffect(Exception):
    """The publication has begun, so it cannot be called off."""


def publish_revision(
    session: Session, *, document: Document, publication: PublicationCreate, editor: Editor
) -> Publication:
    """Makes a revision public, now or later. Raises `Refused`."""
    lock_documents(session)
    now = utc_now()
    begins = publication.from_at or now
    faults = _faults_of_times(now, publication.from_at, publication.until_at)
    if publication.change is ChangeSize.MAJOR and publication.note is None:
        faults.append(PublicationFault("note", "required"))
    revision = find_revision(session, document=document, number=publication.revision)
    if revision is None:
        faults.append(PublicationFault("revision", "unknown"))
    elif revision.content is None:
        faults.append(PublicationFault("revision", "blanked"))
    elif begins >= now:
        content = read_stored(document.key.kind, revision.content)
        faults += find_added_faults(session, key=document.key, content=content, at=begins)
    if faults:
        raise Refused(faults)
    row = append_publication(
        session,
        document=document,
        kind=PublicationType.PUBLISHED,
        editor=editor,
        revision=revision,
        from_at=begins,
        until_at=publication.until_at,
        change=publication.change,
        note=publication.note,
        at=now,
    )
    details: Details = {"revision": publication.revision, "change": publication.change}
    _record(session, document, Action.DOCUMENT_PUBLISHED, row, editor, details)
    return row


def withdraw_document(
    session: Session, *, document: Document, withdrawal: WithdrawalCreate, editor: Editor
) -> Publication:
    """Ends the publication of a text, now or later.

    Raises `PermanentDocument`, `NeverPublished` or `Refused`.
    """
    lock_documents(session)
    if document.key.kind in SINGLE_KINDS:
        raise PermanentDocument
    now = utc_now()
    # A time that has passed is refused below.
    begins = max(withdrawal.from_at or now, now)
    if not _is_published_before(session, document, begins):
        raise NeverPublished
    faults = _faults_of_times(now, withdrawal.from_at, None)
    faults += _faults_of_withdrawal(session, document, withdrawal, begins)
    if faults:
        raise Refused(faults)
    row = append_publication(
        session,
        document=document,
        kind=withdrawal.type,
        editor=editor,
        from_at=begins,
        reason=withdrawal.reason,
        moved_to=withdrawal.moved_to,
        at=now,
    )
    details: Details = {"type": withdrawal.type}
    _record(session, document, Action.DOCUMENT_WITHDRAWN, row, editor, details)
    return row


def call_off_publication(
    session: Session, *, document: Document, publication_id: int, editor: Editor
) -> Publication | None:
    """Calls off a planned publication or withdrawal. A repeated call changes nothing.

    `None` if the document has no publication with this id. Raises `AlreadyInEffect`.
    """
    lock_documents(session)
    row = session.get(Publication, publication_id)
    if row is None or row.document_id != document.id:
        return None
    if session.get(PublicationCallingOff, publication_id) is not None:
        return row
    if row.from_at <= utc_now():
        raise AlreadyInEffect
    append_calling_off(session, document=document, publication=row, editor=editor)
    _record(session, document, Action.DOCUMENT_CALLED_OFF, row, editor, {"type": row.type})
    return row


def _faults_of_times(
    now: datetime, begins: datetime | None, ends: datetime | None
) -> list[PublicationFault]:
    faults = []
    if begins is not None and begins < now:
        faults.append(PublicationFault("from", "passed"))
    if ends is not None and ends <= (begins or now):
        faults.append(PublicationFault("until", "too_early"))
    return faults


def _faults_of_withdrawal(
    session: Session, document: Document, withdrawal: WithdrawalCreate, at: datetime
) -> list[PublicationFault]:
    needed, other = "reason", "moved_to"
    if withdrawal.type is PublicationType.MOVED:
        needed, other = other, needed
    faults = []
    if getattr(withdrawal, needed) is None:
        faults.append(PublicationFault(needed, "required"))
    if getattr(withdrawal, other) is not None:
        faults.append(PublicationFault(other, "not_allowed"))
    elif withdrawal.moved_to is not None:
        target = document.key._replace(slug=withdrawal.moved_to)
        live = find_published(session, at=at).effective.texts.get(target)
        if target == document.key:
            faults.append(PublicationFault("moved_to", "same"))
        elif not isinstance(live, PublishedText):
            faults.append(PublicationFault("moved_to", "not_live"))
    return faults


def _is_published_before(session: Session, document: Document, at: datetime) -> bool:
    """Whether a publication of the document begins before a time, however it ends."""
    found = session.exec(
        select(Publication.id)
        .where(Publication.document_id == document.id, col(Publication.from_at) <= at)
        .where(not_called_off())
        .limit(1)
    )
    return found.first() is not None


def _record(
    session: Session,
    document: Document,
    action: Action,
    row: Publication,
    editor: Editor,
    details: Details,
) -> None:
    record_event(
        session,
        actor=editor.actor,
        action=action,
        subject=subject_of(document.key),
        details={"publication": row.id or 0, "from": row.from_at.isoformat(), **details},
    )
