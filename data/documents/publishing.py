"""Publishes revisions, withdraws texts, and calls off what is planned."""

from datetime import datetime

from sqlalchemy import insert
from sqlmodel import Session

from data.documents.content_version import record_change
from models.document import (
    ChangeSize,
    Document,
    Editor,
    Publication,
    PublicationCallingOff,
    PublicationType,
    Review,
    Revision,
    Verdict,
)
from models.document_file import FileReview
from models.values import utc_now


def name_of(document: Document) -> str:
    """The name of a document for the log and the audit."""
    return document.kind if document.slug == document.kind else f"{document.kind} {document.slug}"


def append_publication(
    session: Session,
    *,
    document: Document,
    kind: PublicationType,
    editor: Editor,
    revision: Revision | None = None,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    change: ChangeSize = ChangeSize.MAJOR,
    note: str | None = None,
    reason: str | None = None,
    moved_to: str | None = None,
    is_first_filling: bool = False,
    at: datetime | None = None,
) -> Publication:
    """Appends a publication of `revision`, or a withdrawal; by default from now on.

    `at` is the time of the recording, by default now.
    """
    now = at or utc_now()
    publication = Publication(
        document_id=document.id or 0,
        revision_id=revision.id if revision else None,
        type=kind,
        from_at=from_at or now,
        until_at=until_at,
        change=change,
        note=note,
        reason=reason,
        moved_to=moved_to,
        is_first_filling=is_first_filling,
        written_in=record_change(session, name=name_of(document)),
        recorded_at=now,
        by=editor.name,
    )
    session.add(publication)
    session.flush()
    return publication


def append_calling_off(
    session: Session, *, document: Document, publication: Publication, editor: Editor
) -> None:
    """Calls off a publication, which the caller has checked to be planned."""
    row = {
        "publication_id": publication.id,
        "written_in": record_change(session, name=name_of(document)),
        "at": utc_now(),
        "by": editor.name,
    }
    session.connection().execute(insert(PublicationCallingOff), row)


def append_review(
    session: Session, *, document: Document, revision: Revision, review: FileReview, editor: Editor
) -> None:
    """Records an approval of a revision on the day `last_reviewed_on`."""
    if review.last_reviewed_on is None:
        return
    session.add(
        Review(
            revision_id=revision.id or 0,
            verdict=Verdict.APPROVED,
            reviewed_on=review.last_reviewed_on,
            next_review_due_on=review.next_review_due_on,
            by=editor.name,
            comment=None,
            written_in=record_change(session, name=name_of(document)),
            at=utc_now(),
        )
    )
    session.flush()
