"""Reads what is recorded of each document from a running service."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

from data.documents.recorded import WITHDRAWALS, RecordedContent, RecordedDocument
from data.operations.content_server import Server
from models.clinic import ClinicPublic
from models.document import ChangeSize, DocumentKey, PublicationType
from models.document_file import FileReview
from models.document_output import (
    DocumentLine,
    DocumentList,
    DocumentPublic,
    DocumentReview,
    DocumentState,
    PublicationList,
    ReviewState,
    RevisionPublic,
    StaffPublication,
)
from models.status import StatusPublic
from models.status_change import Standing
from models.status_content import InitialStatus
from models.values import Input

DOCUMENTS = "/v1/staff/documents"
# So many documents are read at the same time.
_READERS = 4
_APPROVED = {ReviewState.APPROVED, ReviewState.DUE, ReviewState.OVERDUE}


def path_of(key: DocumentKey) -> str:
    return f"{DOCUMENTS}/{'/'.join(key)}"


class ServerReader:
    """Reads all documents in the clinic's default language. `tags` are those that it has read."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tags: dict[DocumentKey, str] = {}

    def read(self) -> RecordedContent:
        """Raises `ServerFault`."""
        clinic = self.server.get("/v1/clinic").read(ClinicPublic)
        status = self.server.get("/v1/status").read(StatusPublic)
        zone = ZoneInfo(clinic.time_zone)
        lines = list(self._lines(clinic.locales[0]))
        with ThreadPoolExecutor(_READERS) as readers:
            documents = list(readers.map(lambda line: self._document(line, zone), lines))
        return RecordedContent(
            source=self.server.url,
            locale=clinic.locales[0],
            zone=zone,
            initial=InitialStatus(
                state=status.state,
                effective_from=status.effective_from,
                reopens_on=status.reopens_on,
            ),
            documents={document.key: document for document in documents},
        )

    def _lines(self, locale: str) -> Iterator[DocumentLine]:
        query = {"locale": locale}
        while True:
            page = self.server.get(DOCUMENTS, **query).read(DocumentList)
            yield from page.data
            if page.meta.next_cursor is None:
                return
            query = {"locale": locale, "cursor": page.meta.next_cursor}

    def _document(self, line: DocumentLine, zone: ZoneInfo) -> RecordedDocument:
        key = DocumentKey(line.kind, line.slug, line.locale)
        answer = self.server.get(path_of(key))
        self.tags[key] = answer.tag or ""
        newest = answer.read(DocumentPublic).root
        history = self._history(key) if _needs_history(line) else []
        current = next((each for each in history if each.state is Standing.IN_EFFECT), None)
        planned = [each.from_at for each in line.planned if each.type in WITHDRAWALS]
        is_moved = current is not None and current.type is PublicationType.MOVED
        was_public = any(each.state in (Standing.PAST, Standing.IN_EFFECT) for each in history)
        withdrawn_at = min(planned, default=None) if line.live_revision else _ended_at(history)
        if is_moved:
            withdrawn_at = None
        return RecordedDocument(
            key=key,
            newest=line.newest_revision,
            newest_content=newest.content,
            live=line.live_revision,
            live_content=self._live_content(key, line, newest.content),
            moved_to=current.moved_to if current and is_moved else None,
            is_withdrawn=line.live_revision is None and was_public and not is_moved,
            withdrawn_on=withdrawn_at and withdrawn_at.astimezone(zone).date(),
            planned=len(line.planned),
            review=_counting_review(line, history),
            last_review=_approval(line.review),
        )

    def _live_content(
        self, key: DocumentKey, line: DocumentLine, newest: Input | None
    ) -> Input | None:
        if line.live_revision in (None, line.newest_revision):
            return newest if line.live_revision else None
        answer = self.server.get(f"{path_of(key)}/revisions/{line.live_revision}")
        content: Input | None = answer.read(RevisionPublic).root.content
        return content

    def _history(self, key: DocumentKey) -> list[StaffPublication]:
        """The publications and withdrawals that were not called off, the newest first."""
        found: list[StaffPublication] = []
        query: dict[str, str] = {}
        while True:
            page = self.server.get(f"{path_of(key)}/publications", **query).read(PublicationList)
            found += [each for each in page.data if each.state is not Standing.CALLED_OFF]
            if page.meta.next_cursor is None:
                return found
            query = {"cursor": page.meta.next_cursor}


def _needs_history(line: DocumentLine) -> bool:
    """Whether the line alone does not say how a text was withdrawn, or which review counts."""
    if line.live_revision is None:
        return line.state is not DocumentState.DRAFT
    return line.review.revision not in (None, line.live_revision)


def _ended_at(history: Sequence[StaffPublication]) -> datetime | None:
    """When a text that is not public any more was withdrawn, or when its publication ended."""
    for each in history:
        if each.state is Standing.IN_EFFECT:
            return each.from_at
    ends = (each.until_at for each in history if each.state is Standing.PAST and each.until_at)
    return max(ends, default=None)


def _approval(review: DocumentReview) -> FileReview:
    if review.status not in _APPROVED:
        return FileReview()
    return FileReview(
        last_reviewed_on=review.reviewed_on, next_review_due_on=review.next_review_due_on
    )


def _counting_review(line: DocumentLine, history: Sequence[StaffPublication]) -> FileReview:
    """The approval that counts for the public revision: only minor changes came after it."""
    approval = _approval(line.review)
    if line.live_revision is None or line.review.revision == line.live_revision:
        return approval if line.live_revision else FileReview()
    begun = sorted(
        (
            each
            for each in history
            if each.type is PublicationType.PUBLISHED
            if each.state in (Standing.PAST, Standing.IN_EFFECT)
        ),
        key=lambda each: (each.from_at, int(each.id)),
        reverse=True,
    )
    for each in begun:
        if each.revision == line.review.revision:
            return approval
        if each.change is ChangeSize.MAJOR:
            break
    return FileReview()
