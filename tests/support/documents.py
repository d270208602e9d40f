"""Changes of published documents in the database, as the service itself makes them."""

from datetime import datetime

from sqlalchemy import Engine, update
from sqlmodel import Session, col

from data.database import writing
from data.documents.content_version import record_change
from data.documents.published import find_published
from data.documents.publishing import append_publication
from data.documents.revisions import add_document, find_document, save_revision
from models.audit import COMMAND_LINE
from models.document import (
    ChangeSize,
    Document,
    DocumentKey,
    Editor,
    Kind,
    Origin,
    Publication,
    PublicationType,
)
from models.document_content import CONTENTS
from models.values import utc_now

EDITOR = Editor(COMMAND_LINE, COMMAND_LINE)
LOCALE = "en-US"


def document_of(
    session: Session, kind: Kind | str, slug: str | None = None, locale: str = LOCALE
) -> Document:
    """The document of the invented clinic; it is added if there is none."""
    key = DocumentKey(Kind(kind), slug or kind, locale)
    return find_document(session, key=key) or add_document(session, key=key)


def content_of(engine: Engine, kind: Kind | str, slug: str | None = None) -> dict[str, object]:
    """The published content of a document."""
    with Session(engine) as session:
        key = DocumentKey(Kind(kind), slug or kind, LOCALE)
        text = find_published(session).effective.texts[key]
        return text.content.model_dump(mode="json")  # type: ignore[union-attr] # it is published


def publish(
    engine: Engine,
    kind: Kind | str,
    slug: str | None = None,
    *,
    locale: str = LOCALE,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    change: ChangeSize = ChangeSize.MAJOR,
    content: dict[str, object] | None = None,
    **changes: object,
) -> None:
    """Publishes a new revision: `content`, by default the published one, with some changes."""
    values = {**(content_of(engine, kind, slug) if content is None else content), **changes}
    with writing(engine) as session:
        document = document_of(session, kind, slug, locale)
        revision = save_revision(
            session,
            document=document,
            content=CONTENTS[Kind(kind)].model_validate(values),
            origin=Origin.STAFF,
            editor=EDITOR,
        )
        append_publication(
            session,
            document=document,
            kind=PublicationType.PUBLISHED,
            revision=revision,
            editor=EDITOR,
            from_at=from_at,
            until_at=until_at,
            change=change,
        )


def withdraw(
    engine: Engine,
    kind: Kind | str,
    slug: str,
    *,
    how: PublicationType = PublicationType.GONE,
    reason: str | None = None,
    moved_to: str | None = None,
    from_at: datetime | None = None,
) -> None:
    """Withdraws a text, or redirects a slug."""
    with writing(engine) as session:
        append_publication(
            session,
            document=document_of(session, kind, slug),
            kind=how,
            editor=EDITOR,
            reason=reason,
            moved_to=moved_to,
            from_at=from_at,
        )


def let_publications_begin(engine: Engine) -> None:
    """Makes each planned publication begin now."""
    with writing(engine) as session:
        now = utc_now()
        begins = col(Publication.from_at)
        changed = update(Publication).where(begins > now).values(from_at=now)
        session.connection().execute(changed)
        record_change(session, name="publications")
