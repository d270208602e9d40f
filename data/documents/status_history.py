"""Lists of the clinic's status changes: planned ones, effective ones, all."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from data.documents.published import find_published
from data.documents.status import find_status, not_called_off
from data.paging import Cursor, Order, Page, read_page
from models.status_change import (
    StaffStatusChange,
    Standing,
    StatusChange,
    StatusChangeCallingOff,
    StatusChangePublic,
)
from models.values import utc_now

_ORDER = Order(StatusChange.takes_effect_at, StatusChange.id, descending=True)


def list_planned(session: Session, *, after: datetime | None = None) -> Sequence[StatusChange]:
    """The changes that take effect after a time, by default now; the next one first."""
    return session.exec(
        select(StatusChange)
        .where(col(StatusChange.takes_effect_at) > (after or utc_now()), not_called_off())
        .order_by(col(StatusChange.takes_effect_at), col(StatusChange.id))
    ).all()


def list_effective_changes(
    session: Session, *, limit: int, after: Cursor | None = None
) -> Page[StatusChangePublic]:
    """A page of the changes that took effect, the latest first."""
    now = utc_now()
    took_effect = (col(StatusChange.takes_effect_at) <= now) & not_called_off()
    page = read_page(
        session, StatusChange, wanted=[took_effect], order=_ORDER, limit=limit, after=after
    )
    texts = find_published(session, at=now).status.texts
    return page.with_items([StatusChangePublic.of(row, texts) for row in page.items])


def list_all_changes(
    session: Session, *, limit: int, after: Cursor | None = None
) -> Page[StaffStatusChange]:
    """A page of all changes with their standing. The change with the latest effect comes first."""
    now = utc_now()
    status = find_status(session, at=now)
    page = read_page(session, StatusChange, order=_ORDER, limit=limit, after=after)
    ids = [row.id for row in page.items]
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

    texts = status.content.texts
    return page.with_items(
        [StaffStatusChange.with_standing(row, texts, standing(row)) for row in page.items]
    )
