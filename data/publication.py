"""What all published texts share."""

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.publication import ContentVersion, FormerSlug


def raise_content_version(session: Session) -> None:
    """Part of the transaction of every published change."""
    session.connection().execute(update(ContentVersion).values(value=col(ContentVersion.value) + 1))


def find_content_version(session: Session) -> int:
    return session.exec(select(ContentVersion.value)).one()


def find_current_slug(session: Session, *, kind: str, slug: str) -> str | None:
    former = session.get(FormerSlug, (kind, slug))
    return former.current_slug if former else None
