"""The time at which any public answer changes next, without another transaction."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from data.documents.published import NotLoaded, Published, find_published
from data.documents.status import find_status, not_called_off
from models.opening_hours import opening_at
from models.status_change import StatusChange
from models.values import ClinicState, utc_now


def find_next_change(session: Session) -> datetime | None:
    """The time of the next change of any public answer; `None` for none.

    Such changes are planned status changes, publications that begin or end, reviews that become
    overdue, the end of an opening, and the end of a day with special hours.
    """
    now = utc_now()
    try:
        published = find_published(session, at=now)
        instants = [published.until, *_days_that_end(published, now)]
        if find_status(session, at=now).state is ClinicState.OPEN:
            clinic = published.clinic
            opening = opening_at(
                clinic.opening_hours, clinic.special_hours, zone=clinic.zone, now=now
            )
            if opening:
                instants.append(opening.closes_at)
    except NotLoaded:
        return None
    planned = select(func.min(StatusChange.takes_effect_at)).where(
        col(StatusChange.takes_effect_at) > now, not_called_off()
    )
    instants.append(session.exec(planned).one())
    return min((instant for instant in instants if instant), default=None)


def _days_that_end(published: Published, now: datetime) -> list[datetime]:
    """The ends of the next day on which a review is due, and of the next day of special hours."""
    clinic = published.clinic
    today = now.astimezone(clinic.zone).date()
    days = (
        {text.days.next_review_due_on for _, text, _ in published.sections},
        {special.on for special in clinic.special_hours or ()},
    )
    return [
        datetime.combine(min(coming) + timedelta(days=1), time.min, clinic.zone).astimezone(UTC)
        for each in days
        if (coming := [day for day in each if day and day >= today])
    ]
