"""What all published texts share: the counter of changes, and when the next one comes due."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import event, func, update
from sqlmodel import Session, col, select

from data.documents.status import stands
from models.clinic import Clinic
from models.faq import FAQ
from models.publication import ContentVersion, FormerSlug
from models.section import Section
from models.status_change import StatusChange
from models.values import utc_now


class Changes:
    """How many published changes this process has committed, to whichever database."""

    count = 0


changes = Changes()


def raise_content_version(session: Session) -> None:
    """Part of the transaction of every published change."""
    session.connection().execute(update(ContentVersion).values(value=col(ContentVersion.value) + 1))
    session.info["publishes"] = True


@event.listens_for(Session, "after_commit")
def _count_change(session: Session) -> None:
    if session.info.pop("publishes", False):
        changes.count += 1


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


def find_current_slug(session: Session, *, kind: str, slug: str) -> str | None:
    former = session.get(FormerSlug, (kind, slug))
    return former.current_slug if former else None
