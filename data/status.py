"""The clinic's state in the database."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, DateTime, bindparam, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from data.database import hold
from data.outbox import announce
from data.publication import raise_content_version
from models.clinic import Clinic
from models.delivery import EventType
from models.listing import Page
from models.status import ClinicStatus
from models.status_change import DEFAULT_MODES, StatusChange, StatusChangeCreate, StatusChangePublic
from models.status_content import StatusContent, StatusText
from models.values import utc_now

# Held by who changes it, shared by who acts upon it: a request is stored before or after a change.
CLINIC_STATE = b"clinic_state"


class NotLoaded(Exception):
    """The database holds no content yet."""


class ReopeningPassed(Exception):
    """The day that was given for reopening is over."""


def _told_at(now: BindParameter[datetime]) -> Select[StatusChange, int, datetime, StatusContent]:
    """The change in effect and the one after it; how many took effect, when one was last told.

    One question instead of four, built once: every answer asks it.
    """
    has_begun = col(StatusChange.takes_effect_at) <= now
    order = (col(StatusChange.takes_effect_at), col(StatusChange.id))
    newest_first = [column.desc() for column in order]
    ids = select(StatusChange.id).limit(1)
    return (
        select(
            StatusChange,
            select(func.count()).select_from(StatusChange).where(has_begun).scalar_subquery(),
            select(func.max(StatusChange.recorded_at)).scalar_subquery(),
            StatusContent,
        )
        .join(StatusContent, col(StatusContent.id) == 1)
        .where(
            col(StatusChange.id).in_(
                (
                    ids.where(has_begun).order_by(*newest_first).scalar_subquery(),
                    ids.where(~has_begun).order_by(*order).scalar_subquery(),
                )
            )
        )
        .order_by(*order)
    )


_TOLD_NOW = _told_at(bindparam("now", type_=DateTime(timezone=True)))


def find_status(session: Session, *, at: datetime | None = None) -> ClinicStatus:
    """What is true of the clinic at an instant, now by default."""
    now = at or utc_now()
    told = session.exec(_TOLD_NOW, params={"now": now}).all()
    if not told or told[0][0].takes_effect_at > now:
        raise NotLoaded
    current, version, last_told_at, content = told[0]
    return ClinicStatus(
        change=current,
        next_change=told[1][0] if len(told) > 1 else None,
        version=version,
        updated_at=max(current.takes_effect_at, last_told_at),
        content=content,
    )


def list_status_changes(
    session: Session, *, limit: int, after: int | None
) -> Page[StatusChangePublic]:
    """All changes, the one recorded last first."""
    total = session.exec(select(func.count()).select_from(StatusChange)).one()
    query = select(StatusChange).order_by(col(StatusChange.id).desc()).limit(limit + 1)
    if after is not None:
        query = query.where(col(StatusChange.id) < after)
    rows = session.exec(query).all()
    more = len(rows) > limit
    return Page(
        items=[StatusChangePublic.model_validate(row) for row in rows[:limit]],
        total=total,
        last_key=rows[limit - 1].id if more else None,
        clinic_state=find_status(session).state,
    )


def record_status_change(session: Session, *, change: StatusChangeCreate) -> StatusChange:
    """Appends a change; it takes effect at once, or by itself at its time."""
    hold(session.connection(), CLINIC_STATE)
    now = utc_now()
    content = session.get(StatusContent, 1)
    clinic = session.get(Clinic, 1)
    if content is None or clinic is None:
        raise NotLoaded
    if change.reopens_on and change.reopens_on < now.astimezone(ZoneInfo(clinic.time_zone)).date():
        raise ReopeningPassed
    row = append_change(
        session, change=change, content=content, effective_from=change.effective_from or now
    )
    announce(session, event=EventType.STATUS_CHANGED, subjects=[str(row.id)], state=row.state)
    return row


def append_change(
    session: Session,
    *,
    change: StatusChangeCreate,
    content: StatusContent,
    effective_from: datetime | None,
) -> StatusChange:
    now = utc_now()
    words = StatusText.model_validate(content.texts[change.state])
    row = StatusChange(
        state=change.state,
        mode=change.mode or DEFAULT_MODES[change.state],
        headline=change.headline or words.headline,
        message=change.message or words.message,
        effective_from=effective_from,
        takes_effect_at=max(now, effective_from or now),
        reopens_on=change.reopens_on,
        recorded_at=now,
    )
    session.add(row)
    raise_content_version(session)
    session.flush()
    return row
