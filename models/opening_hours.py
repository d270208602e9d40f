"""Opening hours of the week and of single days, and the opening that runs or comes next."""

from datetime import time
from typing import Literal

from models.values import Day, Input, Line

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class OpeningHours(Input):
    day: Weekday
    opens: time
    closes: time


class SpecialHours(Input):
    on: Day
    opens: time | None = None
    closes: time | None = None
    closed: bool = False
    note: Line | None = None


def opening_at(hours: object, special: object, *, zone: object, now: object) -> None:
    return None
