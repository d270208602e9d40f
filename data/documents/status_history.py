"""The clinic's status changes as lists: those that took effect, the planned ones, all of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, true, tuple_
from sqlmodel import Session, col, select

from data.documents.status import find_status, stands
from models.listing import Page
from models.status_change import (
    StaffStatusChange,
    Standing,
    StatusChange,
    StatusChangeCallingOff,
    StatusChangePublic,
)
from models.values import utc_now


def list_planned(session: Session, *, after: datetime | None = None) -> Sequence[StatusChange]:
    """The changes that take effect after an instant, now by default; the next one first."""
    return session.exec(
        select(StatusChange)
        .where(col(StatusChange.takes_effect_at) > (after or utc_now()), stands())
        .order_by(col(StatusChange.takes_effect_at), col(StatusChange.id))
    ).all()


def list_effective_changes(
    session: Session, *, limit: int, after: int | None = None
) -> Page[StatusChangePublic]:
    """The changes that took effect, the latest first."""
    now = utc_now()
    took_effect = (col(StatusChange.takes_effect_at) <= now) & stands()
    rows = _list_latest_first(session, took_effect, limit=limit + 1, after=after)
    return Page(
        items=[StatusChangePublic.model_validate(row) for row in rows[:limit]],
        total=_count(session, took_effect),
        last_key=rows[limit - 1].id if len(rows) > limit else None,
    )


def list_all_changes(
    session: Session, *, limit: int, after: int | None = None
) -> Page[StaffStatusChange]:
    """All changes, the latest effect first, each with where it stands."""
    now = utc_now()
    status = find_status(session, at=now)
    rows = _list_latest_first(session, true(), limit=limit + 1, after=after)
    ids = [row.id for row in rows]
    called_off = session.exec(
        select(StatusChangeCallingOff.change_id).where(
            col(StatusChangeCallingOff.change_id).in_(ids)
        )
    ).all()

    def standing(row: StatusChange) -> Standing:
        if row.id in called_off:
            return Standing.CALLED_OFF
        if row.takes_effect_at > now:
            return Standing.PLANNED
        return Standing.IN_EFFECT if row.id == status.change.id else Standing.PAST

    return Page(
        items=[StaffStatusChange.of(row, standing(row)) for row in rows[:limit]],
        total=_count(session, true()),
        last_key=rows[limit - 1].id if len(rows) > limit else None,
    )


def _list_latest_first(
    session: Session, wanted: ColumnElement[bool], *, limit: int, after: int | None
) -> Sequence[StatusChange]:
    """From the place of the change `after` on; a change's place never moves."""
    place = (col(StatusChange.takes_effect_at), col(StatusChange.id))
    query = select(StatusChange).where(wanted).limit(limit)
    if after is not None:
        instant = select(StatusChange.takes_effect_at).where(StatusChange.id == after)
        query = query.where(tuple_(*place) < tuple_(instant.scalar_subquery(), after))
    return session.exec(query.order_by(*(column.desc() for column in place))).all()


def _count(session: Session, wanted: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(StatusChange).where(wanted)).one()
