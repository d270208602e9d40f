"""Common to all published texts: the content version, the next change, and former slugs."""

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import event, func, update
from sqlmodel import Session, col, select

from data.documents.status import not_called_off
from models.clinic import Clinic
from models.faq import FAQ
from models.publication import ContentVersion, FormerSlug, Kind
from models.section import Section
from models.status_change import StatusChange
from models.values import utc_now

log = logging.getLogger("clinic_api")

# Key in `Session.info` for the names of the documents that the transaction has changed.
_CHANGED = "changed_documents"


class Changes:
    """Counts the transactions of this process that changed published content, in any database."""

    count = 0


changes = Changes()


def record_change(session: Session, *, kind: Kind, slug: str | None = None) -> None:
    """Records that this transaction changes a published document.

    `slug` identifies the document among those of its kind: a slug, a version or an id; `None` if
    the kind has one document only. The first call in a transaction raises the content version.
    After the commit, the cache of this process drops its answers, and a log line of level DEBUG
    names the changed documents. Kind and slug are not stored.
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
    """The time of the next scheduled change of any published text; `None` for none.

    Scheduled are planned status changes, withdrawals, and reviews that become overdue.
    """
    now = utc_now()
    instants = [
        session.exec(
            select(func.min(StatusChange.takes_effect_at)).where(
                col(StatusChange.takes_effect_at) > now, not_called_off()
            )
        ).one()
    ]
    clinic = session.get(Clinic, 1)
    if clinic is not None:
        zone = ZoneInfo(clinic.time_zone)
        today = now.astimezone(zone).date()
        # A text is withdrawn at the start of its day. A review is overdue one day after its day.
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
    """The current slug of the text that once had `slug`; `None` if no text had it."""
    former = session.get(FormerSlug, (kind, slug))
    return former.current_slug if former else None
