"""Opening hours of the week and of single days, and the opening that runs or comes next.

An opening belongs to the day on which it begins, also if it ends after midnight. The special hours
of a day replace the openings that begin on that day. So an opening of the evening before runs to
its end, even into a day on which the clinic is closed.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from models.values import MAX_ITEMS, Day, Input, Line

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_WEEKDAYS: Sequence[Weekday] = get_args(Weekday)
_DAY_LENGTH = 24 * 60
_DAYS_AHEAD = 366
# The most entries for single days in one document.
MAX_DAYS = 1000
_MINUTE = timedelta(minutes=1)
# Some libraries add seconds.
_TIME_PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9](:00)?"


def _read_time(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(_TIME_PATTERN, value):
        return time.fromisoformat(value)
    if isinstance(value, time) and value == time(value.hour, value.minute):
        return value
    raise ValueError('write a time as "09:00", in quotes; midnight is "00:00"')


# A time of the clock, in hours and minutes.
TimeOfDay = Annotated[
    time,
    BeforeValidator(_read_time),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME_PATTERN}$", "examples": ["09:00"]}),
]


@dataclass(frozen=True)
class Opening:
    """One opening of the clinic, in UTC."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class _Period:
    """An opening on the clock. `begins` and `ends` are minutes from the start of its day."""

    begins: int
    ends: int


def _read_period(opens: time, closes: time, closes_next_day: bool) -> _Period:
    begins = opens.hour * 60 + opens.minute
    ends = closes.hour * 60 + closes.minute
    if not closes_next_day and ends <= begins:
        raise ValueError(
            "`closes` must be after `opens`. For an opening that ends after midnight, "
            "write `closes_next_day: true`"
        )
    if closes_next_day and ends > begins:
        raise ValueError("with `closes_next_day: true` an opening lasts at most 24 hours")
    return _Period(begins, ends + _DAY_LENGTH if closes_next_day else ends)


class OpeningHours(Input):
    """An opening of every week. One day may have several."""

    day: Weekday = Field(description="Day of the week on which the opening begins.")
    opens: TimeOfDay = Field(description="Opening time, in the clinic's time zone.")
    closes: TimeOfDay = Field(description="Closing time, in the clinic's time zone.")
    closes_next_day: StrictBool = Field(
        default=False,
        description="Whether `closes` is on the next day. An opening lasts at most 24 hours.",
    )

    @model_validator(mode="after")
    def _check_times(self) -> "OpeningHours":
        _ = self.period
        return self

    @property
    def period(self) -> _Period:
        return _read_period(self.opens, self.closes, self.closes_next_day)


class SpecialHours(Input):
    """An opening of one day, or the fact that the clinic is closed on that day.

    One day may have several openings. Together they replace the usual ones of that day.
    """

    on: Day = Field(description="The day.")
    opens: TimeOfDay | None = Field(default=None, description="Opening time; `null` if closed.")
    closes: TimeOfDay | None = Field(default=None, description="Closing time; `null` if closed.")
    closes_next_day: StrictBool = Field(
        default=False, description="Whether `closes` is on the next day."
    )
    closed: StrictBool = Field(
        default=False, description="Whether the clinic is closed on this day."
    )
    note: Line | None = Field(default=None, description="For example the name of the holiday.")

    @model_validator(mode="after")
    def _check_times(self) -> "SpecialHours":
        has_times = self.opens is not None or self.closes is not None or self.closes_next_day
        if self.closed and has_times:
            raise ValueError("a day with `closed: true` has no times")
        if not self.closed and (self.opens is None or self.closes is None):
            raise ValueError("give both `opens` and `closes`, or `closed: true`")
        _ = self.period
        return self

    @property
    def period(self) -> _Period | None:
        """The opening; `None` if the clinic is closed."""
        if self.opens is None or self.closes is None:
            return None
        return _read_period(self.opens, self.closes, self.closes_next_day)


# The name of a day, the number of its first minute, and an opening of that day.
_Placed = tuple[str, int, _Period]


def _check_overlaps(openings: Iterable[_Placed]) -> None:
    ordered = sorted(openings, key=lambda opening: opening[1] + opening[2].begins)
    for (day, start, period), (next_day, next_start, next_period) in pairwise(ordered):
        if start + period.ends > next_start + next_period.begins:
            days = day if day == next_day else f"{day} and {next_day}"
            raise ValueError(f"two openings overlap on {days}")


def _check_week(hours: list[OpeningHours]) -> list[OpeningHours]:
    placed = [(item.day, _WEEKDAYS.index(item.day) * _DAY_LENGTH, item.period) for item in hours]
    # The Monday after also follows the Sunday.
    following = [(day, 7 * _DAY_LENGTH, period) for day, start, period in placed if start == 0]
    _check_overlaps([*placed, *following])
    return hours


def _check_special(special: list[SpecialHours]) -> list[SpecialHours]:
    by_day = _by_date(special)
    for on, items in by_day.items():
        if len(items) > 1 and any(item.closed for item in items):
            raise ValueError(f"{on} is closed, and also has another entry")
    _check_overlaps(p for on in by_day for p in _placed_on(on, {}, by_day))
    return special


# The openings of every week, and those of single days. Openings may touch, but not overlap.
WeeklyHours = Annotated[
    list[OpeningHours], Field(max_length=MAX_ITEMS), AfterValidator(_check_week)
]
SpecialDays = Annotated[
    list[SpecialHours], Field(max_length=MAX_DAYS), AfterValidator(_check_special)
]


def check_hours_together(
    hours: Sequence[OpeningHours] | None, special: Sequence[SpecialHours] | None
) -> None:
    """Raises `ValueError` if an opening of a special day overlaps a usual one near it."""
    usual, by_date = _by_weekday(hours or ()), _by_date(special or ())
    for on in by_date:
        first, last = max(on.toordinal() - 1, 1), min(on.toordinal() + 1, date.max.toordinal())
        days = [date.fromordinal(number) for number in range(first, last + 1)]
        _check_overlaps(p for day in days for p in _placed_on(day, usual, by_date))


_Usual = dict[int, list[OpeningHours]]
_ByDate = dict[date, list[SpecialHours]]


def _by_weekday(hours: Iterable[OpeningHours]) -> _Usual:
    usual: _Usual = defaultdict(list)
    for item in hours:
        usual[_WEEKDAYS.index(item.day)].append(item)
    return usual


def _by_date(special: Iterable[SpecialHours]) -> _ByDate:
    by_date: _ByDate = defaultdict(list)
    for item in special:
        by_date[item.on].append(item)
    return by_date


def _periods_on(day: date, usual: _Usual, by_date: _ByDate) -> list[_Period]:
    """The openings that begin on this day, the earliest first."""
    items = by_date.get(day) or usual.get(day.weekday(), [])
    periods = [item.period for item in items if item.period]
    return sorted(periods, key=lambda period: period.begins)


def _placed_on(day: date, usual: _Usual, by_date: _ByDate) -> Iterator[_Placed]:
    for period in _periods_on(day, usual, by_date):
        yield day.isoformat(), day.toordinal() * _DAY_LENGTH, period


def opening_at(
    hours: Sequence[OpeningHours] | None,
    special: Sequence[SpecialHours] | None,
    *,
    zone: tzinfo,
    now: datetime,
) -> Opening | None:
    """The opening that runs at `now`, or else the next one, as the clock in `zone` shows it.

    `None` if the usual hours are not known, or if no opening begins within a year. Openings that
    touch stay two. An opening begins when the clock first shows its time or a later one, and ends
    in the same way. So one that begins at a time which the clock skips begins when the clock
    changes, and one that the clock skips as a whole does not take place. Of a time that the clock
    shows twice, the first counts.
    """
    if hours is None:
        return None
    usual, by_date = _by_weekday(hours), _by_date(special or ())
    today = now.astimezone(zone).date()
    for days in range(-1, _DAYS_AHEAD + 1):
        day = today + timedelta(days=days)
        for period in _periods_on(day, usual, by_date):
            opens_at = _first_instant(day, period.begins, zone)
            closes_at = _first_instant(day, period.ends, zone)
            if opens_at < closes_at and now < closes_at:
                return Opening(opens_at, closes_at)
    return None


def _first_instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    """When the clock first shows a time or a later one; `minutes` count from the start of `day`."""
    shown = datetime.combine(day, time()) + minutes * _MINUTE
    instant = shown.replace(tzinfo=zone).astimezone(UTC)
    if _clock(instant, zone) == shown:
        return instant
    # The clock skips this time. With `fold=1`, Python takes the offset after the change, which
    # gives an instant before the change; without it, one after the change.
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    candidates = range((instant - before) // _MINUTE + 1)
    first = bisect_left(candidates, True, key=lambda n: _clock(before + n * _MINUTE, zone) >= shown)
    return before + first * _MINUTE


def _clock(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
