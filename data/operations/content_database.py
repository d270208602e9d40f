"""Pushes content into a database, in the transaction of one session."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.audit.events import record_event
from data.documents.effective import not_called_off
from data.documents.publishing import append_calling_off, append_publication, append_review
from data.documents.recorded import WITHDRAWALS, RecordedContent, find_origin, read_recorded
from data.documents.revisions import (
    add_document,
    find_revision,
    lock_documents,
    save_revision,
)
from data.operations.content_filling import WITHDRAWN
from models.audit import COMMAND_LINE, Action, Details
from models.document import (
    ChangeSize,
    Document,
    DocumentKey,
    Editor,
    Origin,
    Publication,
    PublicationType,
    Revision,
)
from models.document_file import FileReview
from models.values import Input, utc_now

_EDITOR = Editor(COMMAND_LINE, COMMAND_LINE)


def name_database(engine: Engine) -> str:
    """The database without password and options, for `.revisions.json`."""
    url = engine.url
    kind = url.get_backend_name()
    if kind == "sqlite":
        return f"{kind}:///{url.database}"
    return f"{kind}://{url.host or url.query.get('host', '')}/{url.database}"


class DatabaseContent:
    """The documents of a database. It changes them in the session's transaction."""

    keeps_drafts = False

    def __init__(self, session: Session, *, source: str) -> None:
        self.session = session
        self.source = source
        self.documents: dict[DocumentKey, Document] = {}
        self.saved: dict[DocumentKey, Revision] = {}

    def read(self) -> RecordedContent:
        self.documents = {row.key: row for row in self.session.exec(select(Document))}
        return read_recorded(self.session, source=self.source)

    def find_origin(self, key: DocumentKey) -> Origin:
        return find_origin(self.session, key=key)

    def save(self, key: DocumentKey, content: Input, *, note: str) -> int:
        self.saved[key] = save_revision(
            self.session,
            document=self._document(key),
            content=content,
            origin=Origin.FILE,
            editor=_EDITOR,
            note=note,
        )
        return self.saved[key].number

    def publish(
        self, revisions: Mapping[DocumentKey, int], *, change: ChangeSize, note: str
    ) -> None:
        for key, number in revisions.items():
            append_publication(
                self.session,
                document=self._document(key),
                kind=PublicationType.PUBLISHED,
                editor=_EDITOR,
                revision=self._revision(key, number),
                change=change,
                note=note,
            )

    def move(self, key: DocumentKey, *, to: str) -> int | None:
        append_publication(
            self.session,
            document=self._document(key),
            kind=PublicationType.MOVED,
            editor=_EDITOR,
            moved_to=to,
        )
        return None

    def withdraw(self, key: DocumentKey, *, from_at: datetime | None) -> None:
        append_publication(
            self.session,
            document=self._document(key),
            kind=PublicationType.GONE,
            editor=_EDITOR,
            from_at=from_at,
            reason=WITHDRAWN,
        )

    def call_off_withdrawal(self, key: DocumentKey) -> None:
        document = self._document(key)
        planned = self.session.exec(
            select(Publication)
            .where(
                Publication.document_id == document.id,
                col(Publication.from_at) > utc_now(),
                col(Publication.type).in_(WITHDRAWALS),
                not_called_off(),
            )
            .order_by(col(Publication.from_at))
        ).first()
        if planned is not None:
            append_calling_off(self.session, document=document, publication=planned, editor=_EDITOR)

    def review(self, key: DocumentKey, number: int, review: FileReview) -> None:
        append_review(
            self.session,
            document=self._document(key),
            revision=self._revision(key, number),
            review=review,
            editor=_EDITOR,
        )

    def finish(self, details: Details) -> list[str]:
        record_event(
            self.session, actor=COMMAND_LINE, action=Action.CONTENT_PUSHED, details=details
        )
        return []

    def _document(self, key: DocumentKey) -> Document:
        """The document, which is added if there is none."""
        if key not in self.documents:
            self.documents[key] = add_document(self.session, key=key)
        return self.documents[key]

    def _revision(self, key: DocumentKey, number: int) -> Revision:
        saved = self.saved.get(key)
        if saved is not None and saved.number == number:
            return saved
        found = find_revision(self.session, document=self._document(key), number=number)
        assert found is not None
        return found


def lock_content(session: Session, *, source: str) -> DatabaseContent:
    """The documents of a database, which nothing else changes until the transaction ends."""
    lock_documents(session)
    return DatabaseContent(session, source=source)
