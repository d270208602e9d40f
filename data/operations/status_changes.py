"""Previews, records and calls off changes of the clinic's status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlmodel import Session

from data.audit.events import record_event
from data.database import take_lock
from data.documents.content_version import record_change
from data.documents.published import find_published
from data.documents.status import CLINIC_STATE
from data.documents.status_history import list_planned
from data.intake.close_out import close_out_where_closed, count_open
from data.intake.retention import Retention
from data.outbox import announce
from models.audit import Action, Details
from models.delivery import EventType
from models.status_change import (
    DEFAULT_MODES,
    StatusChange,
    StatusChangeCallingOff,
    StatusChangeCreate,
)
from models.status_content import InitialStatus, StatusText
from models.values import ClinicState, utc_now


class ImpossibleChange(Exception):
    """The times of the change contradict the clock or each other."""


class EffectPassed(ImpossibleChange):
    """`effective_from` is in the past, and `backdated` is not set."""


class ReopeningPassed(ImpossibleChange):
    """The reopening day is in the past."""


class ReopeningTooEarly(ImpossibleChange):
    """The reopening day is before the closure."""


class AlreadyInEffect(Exception):
    """The change has taken effect, and cannot be called off any more."""


@dataclass(frozen=True)
class ChangeEffects:
    """The effects of a change of the status. A preview and the change itself return the same."""

    # The default words for each state.
    texts: Mapping[ClinicState, StatusText]
    # The new rows: the change itself, then the opening that it plans, if any.
    recorded: Sequence[StatusChange]
    calls_off: Sequence[StatusChange]
    # All planned changes afterwards, the next one first.
    planned: Sequence[StatusChange]
    # Number of requests.
    closes_out: int

    @property
    def change(self) -> StatusChange:
        return self.recorded[0]


def preview_change(session: Session, *, change: StatusChangeCreate) -> ChangeEffects:
    """The effects that the change would have now. Writes nothing. Raises `ImpossibleChange`."""
    now = utc_now()
    if change.effective_from and change.effective_from < now and not change.backdated:
        raise EffectPassed("effective_from is in the past")
    published = find_published(session, at=now)
    row = _new_change(change, effective_from=change.effective_from or now, now=now)
    recorded = [row]
    if change.reopens_on:
        opens_at = _require_reopening(change.reopens_on, after=row, zone=published.clinic.zone)
        if change.reopen:
            recorded.append(_new_opening(after=row, opens_at=opens_at))
    is_final = change.state is ClinicState.PERMANENTLY_CLOSED
    before = list_planned(session, after=now)
    calls_off = [p for p in before if is_final and p.takes_effect_at >= row.takes_effect_at]
    # `before` is sorted by time, so the changes that are called off are its last ones.
    remaining = before[: len(before) - len(calls_off)]
    planned = [*remaining, *(r for r in recorded if r.was_planned)]
    return ChangeEffects(
        texts=published.status.texts,
        recorded=recorded,
        calls_off=calls_off,
        planned=sorted(planned, key=lambda p: p.takes_effect_at),
        closes_out=count_open(session) if is_final else 0,
    )


def change_status(
    session: Session, *, change: StatusChangeCreate, retention: Retention, actor: str
) -> ChangeEffects:
    """Records a change and carries out its effects. Raises `ImpossibleChange`."""
    take_lock(session.connection(), CLINIC_STATE)
    effects = preview_change(session, change=change)
    for row in effects.calls_off:
        _record_calling_off(session, row, actor=actor)
    for row in effects.recorded:
        _append_change(session, row, actor=actor)
    row = effects.change
    if row.was_planned or row.state != ClinicState.PERMANENTLY_CLOSED:
        return effects
    closed_out = close_out_where_closed(session, retention=retention, actor=actor)
    return replace(effects, closes_out=closed_out)


def call_off_change(session: Session, *, change_id: int, actor: str) -> StatusChange | None:
    """Calls off a planned change. A second call changes nothing. Raises `AlreadyInEffect`.

    Returns `None` for an unknown id.
    """
    take_lock(session.connection(), CLINIC_STATE)
    row = session.get(StatusChange, change_id)
    if row is None:
        return None
    if session.get(StatusChangeCallingOff, change_id) is None:
        if row.takes_effect_at <= utc_now():
            raise AlreadyInEffect
        _record_calling_off(session, row, actor=actor)
    return row


def append_first_change(session: Session, *, initial: InitialStatus) -> None:
    """Records the first state of a new database. Its `effective_from` may be unknown."""
    change = StatusChangeCreate(state=initial.state, reopens_on=initial.reopens_on)
    row = _new_change(change, effective_from=initial.effective_from, now=utc_now())
    row.is_first_filling = True
    session.add(row)
    session.flush()
    record_change(session, name=f"status change {row.id}")


def _new_change(
    change: StatusChangeCreate, *, effective_from: datetime | None, now: datetime
) -> StatusChange:
    return StatusChange(
        state=change.state,
        mode=change.mode or DEFAULT_MODES[change.state],
        headline=change.headline,
        message=change.message,
        effective_from=effective_from,
        takes_effect_at=max(now, effective_from or now),
        reopens_on=change.reopens_on,
        recorded_at=now,
    )


def _require_reopening(reopens_on: date, *, after: StatusChange, zone: ZoneInfo) -> datetime:
    """The start of the reopening day in UTC. Raises `ImpossibleChange`."""
    if reopens_on < after.recorded_at.astimezone(zone).date():
        raise ReopeningPassed("the reopening day is in the past")
    if reopens_on < after.takes_effect_at.astimezone(zone).date():
        raise ReopeningTooEarly("the clinic would reopen before it closes")
    return datetime.combine(reopens_on, time.min, zone).astimezone(UTC)


def _new_opening(*, after: StatusChange, opens_at: datetime) -> StatusChange:
    if opens_at <= after.takes_effect_at:
        raise ReopeningTooEarly("the clinic would reopen before it closes")
    wanted = StatusChangeCreate(state=ClinicState.OPEN)
    return _new_change(wanted, effective_from=opens_at, now=after.recorded_at)


def _append_change(session: Session, row: StatusChange, *, actor: str) -> None:
    session.add(row)
    session.flush()
    change_id = str(row.id)
    record_change(session, name=f"status change {change_id}")
    announce(session, event=EventType.STATUS_CHANGED, subjects=[change_id], state=row.state)
    details: Details = {"state": row.state, "mode": row.mode}
    if row.was_planned:
        details["takes_effect_at"] = row.takes_effect_at.isoformat().replace("+00:00", "Z")
    record_event(
        session, actor=actor, action=Action.STATUS_CHANGED, subject=change_id, details=details
    )


def _record_calling_off(session: Session, row: StatusChange, *, actor: str) -> None:
    calling_off = {"change_id": row.id, "at": utc_now(), "by": actor}
    session.connection().execute(insert(StatusChangeCallingOff), calling_off)
    record_change(session, name=f"status change {row.id}")
    record_event(session, actor=actor, action=Action.STATUS_CALLED_OFF, subject=str(row.id))
