"""Documents and their revisions. A revision is never changed, except that it can be blanked."""

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from data.database import take_lock
from models.document import Document, DocumentKey, Editor, Kind, Origin, Revision
from models.document_content import read_stored
from models.values import Input, utc_now

# Name of the lock of all documents: transactions that change documents wait for each other.
DOCUMENTS = b"documents"


def lock_documents(session: Session) -> None:
    take_lock(session.connection(), DOCUMENTS)


def find_document(session: Session, *, key: DocumentKey) -> Document | None:
    return session.exec(
        select(Document).where(
            Document.kind == key.kind, Document.slug == key.slug, Document.locale == key.locale
        )
    ).first()


def add_document(session: Session, *, key: DocumentKey) -> Document:
    document = Document(kind=key.kind, slug=key.slug, locale=key.locale)
    session.add(document)
    session.flush()
    return document


def find_newest_revision(session: Session, *, document: Document) -> Revision | None:
    return session.exec(
        select(Revision)
        .where(Revision.document_id == document.id)
        .order_by(col(Revision.number).desc())
        .limit(1)
    ).first()


def find_revision(session: Session, *, document: Document, number: int) -> Revision | None:
    return session.exec(
        select(Revision).where(Revision.document_id == document.id, Revision.number == number)
    ).first()


def save_revision(
    session: Session,
    *,
    document: Document,
    content: Input,
    origin: Origin,
    editor: Editor,
    note: str | None = None,
) -> Revision:
    """Saves a revision. The same content as in the newest revision makes no new one."""
    newest = find_newest_revision(session, document=document)
    if newest is not None and is_same(_content_of(document, newest), content):
        return newest
    revision = Revision(
        document_id=document.id or 0,
        number=_next_number(session, document, newest),
        content=content.model_dump(mode="json"),
        origin=origin,
        author=editor.name,
        note=note,
        saved_at=utc_now(),
    )
    session.add(revision)
    session.flush()
    return revision


def is_same(one: Input | None, other: Input) -> bool:
    """Whether two contents are the same. The order of a form's fields counts."""
    return one is not None and one.model_dump_json() == other.model_dump_json()


def _content_of(document: Document, revision: Revision) -> Input | None:
    """The content of a revision; `None` if it was blanked."""
    if revision.content is None:
        return None
    return read_stored(Kind(document.kind), revision.content)


def _next_number(session: Session, document: Document, newest: Revision | None) -> int:
    if document.kind == Kind.FORM:
        # A form's version is one number in all languages.
        numbers = select(func.max(Revision.number)).join(
            Document, col(Document.id) == Revision.document_id
        )
        return (session.exec(numbers.where(Document.kind == Kind.FORM)).one() or 0) + 1
    return newest.number + 1 if newest else 1


def blank_revision(session: Session, *, revision: Revision) -> None:
    """Removes the content of a revision permanently; its number, author and time stay."""
    session.connection().execute(
        update(Revision).where(col(Revision.id) == revision.id).values(content=None)
    )
