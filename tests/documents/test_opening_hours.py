"""The opening that runs or comes next."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.opening_hours import (
    Opening,
    OpeningHours,
    SpecialHours,
    opening_at,
)
from tests.support.hours import DAYS, clinic_with, closed, special, usual

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)


def opening(
    now: str, hours: list[Any] | None, special: list[Any] | None = None, *, zone: ZoneInfo = MADRID
) -> tuple[str, str] | None:
    """The opening at a time of the clock in `zone`, in times of the same clock."""
    clinic = clinic_with(opening_hours=hours, special_hours=special)
    at = datetime.fromisoformat(now).replace(tzinfo=zone)
    found = opening_at(clinic.opening_hours, clinic.special_hours, zone=zone, now=at)
    if found is None:
        return None
    opens, closes = (t.astimezone(zone) for t in (found.opens_at, found.closes_at))
    return f"{opens:%Y-%m-%d %H:%M %Z}", f"{closes:%Y-%m-%d %H:%M %Z}"


WITH_SIESTA = [usual("monday", "09:00", "13:00"), usual("monday", "17:00", "20:30")]
NIGHT = [usual("friday", "18:00", "02:00", next_day=True)]


@pytest.mark.parametrize(
    ("now", "hours", "special_hours", "expected"),
    [
        # 2026-10-05 is a Monday.
        ("2026-10-05T08:59", WITH_SIESTA, None, ("2026-10-05 09:00", "2026-10-05 13:00")),
        ("2026-10-05T12:59", WITH_SIESTA, None, ("2026-10-05 09:00", "2026-10-05 13:00")),
        ("2026-10-05T13:00", WITH_SIESTA, None, ("2026-10-05 17:00", "2026-10-05 20:30")),
        ("2026-10-05T20:30", WITH_SIESTA, None, ("2026-10-12 09:00", "2026-10-12 13:00")),
        (
            "2026-10-05T20:30",
            WITH_SIESTA,
            [special("2026-10-12", "10:15", "11:45")],
            ("2026-10-12 10:15", "2026-10-12 11:45"),
        ),
        (
            "2026-10-05T20:30",
            WITH_SIESTA,
            [special("2026-10-12", "18:00", "19:00"), special("2026-10-12", "07:00", "08:00")],
            ("2026-10-12 07:00", "2026-10-12 08:00"),
        ),
        (
            "2026-10-05T20:30",
            WITH_SIESTA,
            [closed("2026-10-12")],
            ("2026-10-19 09:00", "2026-10-19 13:00"),
        ),
        # 2026-10-09 is a Friday. The Saturday is closed, but Friday's opening runs to its end.
        (
            "2026-10-10T01:59",
            NIGHT,
            [closed("2026-10-10")],
            ("2026-10-09 18:00", "2026-10-10 02:00"),
        ),
        (
            "2026-10-10T01:59",
            NIGHT,
            [closed("2026-10-09")],
            ("2026-10-16 18:00", "2026-10-17 02:00"),
        ),
        # Openings that touch stay two.
        (
            "2026-10-05T12:00",
            [usual("monday", "09:00", "12:00"), usual("monday", "12:00", "15:00")],
            None,
            ("2026-10-05 12:00", "2026-10-05 15:00"),
        ),
        (
            "2026-10-05T12:00",
            [],
            [special("2027-10-05", "09:00", "10:00")],
            ("2027-10-05 09:00", "2027-10-05 10:00"),
        ),
        ("2026-10-05T12:00", [], [special("2027-10-08", "09:00", "10:00")], None),
        ("2026-10-05T12:00", [], [special("2026-10-05", "09:00", "12:00")], None),
        ("2026-10-05T12:00", [], None, None),
        # While the usual hours are not known, an opening before the special one may exist.
        ("2026-10-05T12:00", None, [special("2026-10-09", "09:00", "10:00")], None),
    ],
)
def test_the_opening_that_runs_or_comes_next(
    now: str, hours: Any, special_hours: Any, expected: tuple[str, str] | None
) -> None:
    """An opening ends at its closing time; special days replace the usual hours."""
    found = opening(now, hours, special_hours)
    assert (found and tuple(words.rsplit(" ", 1)[0] for words in found)) == expected


@pytest.mark.parametrize(
    ("now", "hours", "expected"),
    [
        # On 2026-03-29 the clock goes from 02:00 to 03:00.
        (
            "2026-03-29T00:00",
            [usual("sunday", "02:30", "05:00")],
            ("2026-03-29 03:00 CEST", "2026-03-29 05:00 CEST"),
        ),
        (
            "2026-03-29T00:00",
            [usual("sunday", "01:00", "02:30")],
            ("2026-03-29 01:00 CET", "2026-03-29 03:00 CEST"),
        ),
        (
            "2026-03-29T00:00",
            [usual("sunday", "02:10", "02:50")],
            ("2026-04-05 02:10 CEST", "2026-04-05 02:50 CEST"),
        ),
        (
            "2026-03-28T23:30",
            [usual("saturday", "22:00", "06:00", next_day=True)],
            ("2026-03-28 22:00 CET", "2026-03-29 06:00 CEST"),
        ),
        # On 2026-10-25 the clock goes from 03:00 back to 02:00.
        (
            "2026-10-25T00:00",
            [usual("sunday", "02:30", "05:00")],
            ("2026-10-25 02:30 CEST", "2026-10-25 05:00 CET"),
        ),
        (
            "2026-10-25T00:00",
            [usual("sunday", "01:00", "02:30")],
            ("2026-10-25 01:00 CEST", "2026-10-25 02:30 CEST"),
        ),
        (
            "2026-10-25T00:00",
            [usual("sunday", "02:30", "03:00")],
            ("2026-10-25 02:30 CEST", "2026-10-25 03:00 CET"),
        ),
    ],
)
def test_openings_follow_the_clock_when_it_changes(
    now: str, hours: list[Any], expected: tuple[str, str]
) -> None:
    """A time that the clock skips becomes that of the change; of a time shown twice, the first."""
    assert opening(now, hours) == expected


def opening_minute_by_minute(
    hours: Sequence[OpeningHours],
    special: Sequence[SpecialHours],
    *,
    zone: ZoneInfo,
    now: datetime,
    days: int,
) -> Opening | None:
    """The opening by a clock that is read once a minute, and that never goes back."""
    minute = now - timedelta(days=3)
    latest = minute.astimezone(zone).replace(tzinfo=None)
    begun: datetime | None = None
    running: object = None
    while minute < now + timedelta(days=days):
        latest = max(latest, minute.astimezone(zone).replace(tzinfo=None))
        item = _running_at(hours, special, latest)
        if item != running:
            if begun is not None and minute > now:
                return Opening(begun, minute)
            begun, running = (None if item is None else minute), item
        minute += MINUTE
    return None


def _running_at(
    hours: Sequence[OpeningHours], special: Sequence[SpecialHours], clock: datetime
) -> object:
    for day in (clock.date() - timedelta(days=1), clock.date()):
        items: list[OpeningHours | SpecialHours] = [s for s in special if s.on == day]
        if not items:
            items = [h for h in hours if DAYS.index(h.day) == day.weekday()]
        for item in items:
            if item.opens is None or item.closes is None:
                continue
            begins = datetime.combine(day, item.opens)
            ends = datetime.combine(day + timedelta(days=item.closes_next_day), item.closes)
            if begins <= clock < ends:
                return day, item
    return None


# Both changes of the clock in 2026, in UTC. Lord Howe changes by half an hour.
CHANGES = {
    "Europe/Madrid": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "America/Los_Angeles": ("2026-03-08T10:00", "2026-11-01T09:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),
}
# Times around the changes are frequent, so that many openings begin or end there.
_times = st.one_of(
    st.integers(0, 24 * 60 - 1), st.sampled_from([0, 90, 105, 119, 120, 135, 150, 179, 180])
).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")


@st.composite
def _span(draw: st.DrawFn) -> dict[str, Any]:
    opens, closes = draw(_times), draw(_times)
    return {"opens": opens, "closes": closes, "closes_next_day": closes <= opens}


@st.composite
def _cases(draw: st.DrawFn) -> tuple[ZoneInfo, datetime, list[OpeningHours], list[SpecialHours]]:
    name = draw(st.sampled_from(sorted(CHANGES)))
    change = datetime.fromisoformat(draw(st.sampled_from(CHANGES[name]))).replace(tzinfo=UTC)
    minutes = st.one_of(
        st.integers(-3 * 24 * 60, 24 * 60), st.integers(-12, 12).map(lambda n: n * 15)
    )
    now = change + draw(minutes) * MINUTE
    hours: list[OpeningHours] = []
    special: list[SpecialHours] = []
    for _ in range(draw(st.integers(0, 4))):
        item = OpeningHours.model_validate({"day": draw(st.sampled_from(DAYS)), **draw(_span())})
        hours = [*hours, item] if _is_valid([*hours, item], special) else hours
    for _ in range(draw(st.integers(0, 3))):
        on: date = change.date() + timedelta(days=draw(st.integers(-3, 3)))
        times = draw(st.one_of(_span(), st.just({"closed": True})))
        day = SpecialHours.model_validate({"on": on, **times})
        special = [*special, day] if _is_valid(hours, [*special, day]) else special
    return ZoneInfo(name), now, hours, special


def _is_valid(hours: list[OpeningHours], special: list[SpecialHours]) -> bool:
    try:
        clinic_with(
            opening_hours=[item.model_dump() for item in hours],
            special_hours=[item.model_dump() for item in special],
        )
    except ValidationError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(case=_cases())
def test_the_opening_is_the_one_that_a_clock_shows(
    case: tuple[ZoneInfo, datetime, list[OpeningHours], list[SpecialHours]],
) -> None:
    """At any minute, the answer is that of a slow search minute by minute."""
    zone, now, hours, special_hours = case
    found = opening_at(hours, special_hours, zone=zone, now=now)
    # Days after the special ones contain a whole week, also if all of its openings fall on them.
    assert found == opening_minute_by_minute(hours, special_hours, zone=zone, now=now, days=24)
