"""The clinic's state in the database."""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, DateTime, bindparam, func, union_all
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from data.documents.published import NotLoaded, find_published
from models.status import ClinicStatus
from models.status_change import StatusChange, StatusChangeCallingOff
from models.values import utc_now

# Name of the lock of the clinic's state. A transaction that changes the state takes it exclusively;
# one that stores requests shares it. So the state cannot change while a request is stored.
CLINIC_STATE = b"clinic_state"


def not_called_off() -> ColumnElement[bool]:
    """The condition that a change was not called off."""
    return col(StatusChange.id).not_in(select(StatusChangeCallingOff.change_id))


def _status_at(now: BindParameter[datetime]) -> Select[StatusChange, int, datetime]:
    """Selects the change in effect at `now` and the next change, in this order.

    Each row also contains the number of changes that took effect, and the time of the newest record
    besides the one that began the database. It is built once, because every answer needs it.
    """
    has_begun = col(StatusChange.takes_effect_at) <= now
    order = (col(StatusChange.takes_effect_at), col(StatusChange.id))
    newest_first = [column.desc() for column in order]
    ids = select(StatusChange.id).where(not_called_off()).limit(1)
    recorded = union_all(
        select(col(StatusChange.recorded_at).label("at")).where(
            col(StatusChange.is_first_filling).is_(False)
        ),
        select(StatusChangeCallingOff.at),
    ).subquery()
    effective = select(func.count()).select_from(StatusChange).where(has_begun, not_called_off())
    return (
        select(
            StatusChange,
            effective.scalar_subquery(),
            select(func.max(recorded.c.at)).scalar_subquery(),
        )
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


_STATUS_NOW = _status_at(bindparam("now", type_=DateTime(timezone=True)))


def find_status(session: Session, *, at: datetime | None = None) -> ClinicStatus:
    """The clinic's status at a time, by default now. Raises `NotLoaded`."""
    now = at or utc_now()
    rows = session.exec(_STATUS_NOW, params={"now": now}).all()
    if not rows or rows[0][0].takes_effect_at > now:
        raise NotLoaded
    current, version, last_recorded_at = rows[0]
    return ClinicStatus(
        change=current,
        next_change=rows[1][0] if len(rows) > 1 else None,
        version=version,
        updated_at=last_recorded_at and max(current.takes_effect_at, last_recorded_at),
        content=find_published(session, at=now).status,
    )
