"""Fills an empty database with the content of a folder."""

from datetime import UTC, datetime, time

from sqlmodel import Session, select

from data.documents.checks import check_folder
from data.documents.files import ContentFaults, ContentFolder
from data.documents.publishing import append_publication, append_review
from data.documents.revisions import add_document, find_document, lock_documents, save_revision
from data.operations.status_changes import append_first_change
from models.audit import SERVICE
from models.clinic import ClinicContent
from models.document import Document, DocumentKey, Editor, Kind, Origin, PublicationType

_SERVICE = Editor(SERVICE, SERVICE)
WITHDRAWN = "The clinic has withdrawn this text."


def is_filled(session: Session) -> bool:
    return session.exec(select(Document.id).limit(1)).first() is not None


def fill_database(session: Session, *, folder: ContentFolder) -> None:
    """Saves and publishes all documents of a folder. Raises `ContentFaults`.

    The days of these publications are not served, because the texts may be older.
    """
    if faults := check_folder(folder):
        raise ContentFaults(faults)
    lock_documents(session)
    for key, file in folder.files.items():
        document = find_document(session, key=key) or add_document(session, key=key)
        revision = save_revision(
            session, document=document, content=file.content, origin=Origin.FILE, editor=_SERVICE
        )
        append_publication(
            session,
            document=document,
            kind=PublicationType.PUBLISHED,
            revision=revision,
            editor=_SERVICE,
            is_first_filling=True,
        )
        append_review(
            session,
            document=document,
            revision=revision,
            review=file.facts.review,
            editor=_SERVICE,
        )
        for slug in file.facts.former_slugs:
            _redirect(session, key._replace(slug=slug), to=key.slug)
        if file.facts.withdrawn_on:
            clinic = folder.files[DocumentKey(Kind.CLINIC, Kind.CLINIC, key.locale)].content
            assert isinstance(clinic, ClinicContent)
            day = datetime.combine(file.facts.withdrawn_on, time.min, clinic.zone)
            append_publication(
                session,
                document=document,
                kind=PublicationType.GONE,
                reason=WITHDRAWN,
                from_at=max(day.astimezone(UTC), datetime.now(UTC)),
                editor=_SERVICE,
                is_first_filling=True,
            )
    append_first_change(session, initial=folder.initial)


def _redirect(session: Session, key: DocumentKey, *, to: str) -> None:
    append_publication(
        session,
        document=add_document(session, key=key),
        kind=PublicationType.MOVED,
        moved_to=to,
        editor=_SERVICE,
        is_first_filling=True,
    )
