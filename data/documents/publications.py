"""What all published texts share: the counter of changes, and when the next one comes due."""

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import event, func, update
from sqlmodel import Session, col, select

from data.documents.status import stands
from models.clinic import Clinic
from models.faq import FAQ
from models.publication import ContentVersion, FormerSlug, Kind
from models.section import Section
from models.status_change import StatusChange
from models.values import utc_now

log = logging.getLogger("clinic_api")

# In `Session.info`: the names of what the transaction has changed so far.
_CHANGED = "changed_documents"


class Changes:
    """How many transactions with published changes this process has committed, to any database."""

    count = 0


changes = Changes()


def record_change(session: Session, *, kind: Kind, slug: str | None = None) -> None:
    """Records that this transaction changes something published.

    `slug` is what names the document among those of its kind: a slug, a version or an id, and
    `None` where there is one only. The content version is raised once in a transaction. With the
    commit the cache of this process drops its answers, and a line of the level DEBUG names each
    changed document; kind and slug are not stored.
    """
    if _CHANGED not in session.info:
        raised = update(ContentVersion).values(value=col(ContentVersion.value) + 1)
        session.connection().execute(raised)
        session.info[_CHANGED] = []
    session.info[_CHANGED].append(f"{kind} {slug}" if slug else str(kind))


@event.listens_for(Session, "after_commit")
def _count_changes(session: Session) -> None:
    if changed := session.info.pop(_CHANGED, None):
        changes.count += 1
        log.debug("content changed: %s", ", ".join(changed))


@event.listens_for(Session, "after_rollback")
def _forget_changes(session: Session) -> None:
    session.info.pop(_CHANGED, None)


def find_content_version(session: Session) -> int:
    return session.exec(select(ContentVersion.value)).one()


def find_next_change(session: Session) -> datetime | None:
    """The instant at which the content says something else by itself."""
    now = utc_now()
    instants = [
        session.exec(
            select(func.min(StatusChange.takes_effect_at)).where(
                col(StatusChange.takes_effect_at) > now, stands()
            )
        ).one()
    ]
    clinic = session.get(Clinic, 1)
    if clinic is not None:
        zone = ZoneInfo(clinic.time_zone)
        today = now.astimezone(zone).date()
        # A text is gone from its day on; a review is overdue on the day after its own.
        days = [
            (col(Section.withdrawn_on), 0),
            (col(FAQ.withdrawn_on), 0),
            (col(Section.next_review_due_on), 1),
        ]
        for column, later in days:
            day = session.exec(
                select(func.min(column)).where(column > today - timedelta(days=later))
            ).one()
            if day is not None:
                instants.append(datetime.combine(day + timedelta(days=later), time.min, zone))
    return min((instant for instant in instants if instant), default=None)


def find_current_slug(session: Session, *, kind: Kind, slug: str) -> str | None:
    former = session.get(FormerSlug, (kind, slug))
    return former.current_slug if former else None
