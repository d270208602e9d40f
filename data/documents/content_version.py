"""The content version: each transaction that changes what is published raises it."""

import logging

from sqlalchemy import event, update
from sqlmodel import Session, col, select

from models.publication import ContentVersion

log = logging.getLogger("clinic_api")

# Keys in `Session.info`: the names of what the transaction has changed, and the published
# documents that it has read.
CHANGED = "changed_documents"
PUBLISHED = "published_documents"
_VERSION = "content_version"


class Changes:
    """Counts the transactions of this process that changed published content, in any database."""

    count = 0


changes = Changes()


def record_change(session: Session, *, name: str) -> int:
    """Records that this transaction changes published content; returns the new content version.

    The first call in a transaction raises the version. `name` is the document or status change,
    such as `section exercises`. After the commit, the cache of this process drops its answers, and
    a log line of level DEBUG has all names.
    """
    if CHANGED not in session.info:
        raised = update(ContentVersion).values(value=col(ContentVersion.value) + 1)
        session.connection().execute(raised)
        session.info[CHANGED] = []
        # It stays the same until the transaction ends, because the row is locked.
        session.info[_VERSION] = find_content_version(session)
    session.info[CHANGED].append(name)
    session.info.pop(PUBLISHED, None)
    version: int = session.info[_VERSION]
    return version


@event.listens_for(Session, "after_commit")
def _count_changes(session: Session) -> None:
    session.info.pop(PUBLISHED, None)
    if changed := session.info.pop(CHANGED, None):
        changes.count += 1
        log.debug("content changed: %s", ", ".join(changed))


@event.listens_for(Session, "after_rollback")
def _forget_changes(session: Session) -> None:
    session.info.pop(PUBLISHED, None)
    session.info.pop(CHANGED, None)


def find_content_version(session: Session) -> int:
    return session.exec(select(ContentVersion.value)).one()
