"""Opening hours for tests, and a clinic that has them."""

from collections.abc import Sequence

from models.clinic import ClinicContent
from models.opening_hours import Weekday

DAYS: Sequence[Weekday] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


def usual(day: str, opens: str, closes: str, *, next_day: bool = False) -> dict[str, object]:
    return {"day": day, "opens": opens, "closes": closes, "closes_next_day": next_day}


def special(on: str, opens: str, closes: str, *, next_day: bool = False) -> dict[str, object]:
    return {"on": on, "opens": opens, "closes": closes, "closes_next_day": next_day}


def closed(on: str) -> dict[str, object]:
    return {"on": on, "closed": True}


def clinic_with(**hours: object) -> ClinicContent:
    return ClinicContent.model_validate(
        {
            "locality": "Exampleton",
            "region": "Illinois",
            "country": "US",
            "time_zone": "Europe/Madrid",
            "locales": ["en-US"],
            **hours,
        }
    )
