"""Which opening hours are accepted, and how they stand in JSON."""

import pytest
from pydantic import ValidationError

from models.clinic import ClinicContent
from tests.support.hours import DAYS, clinic_with, closed, special, usual


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"opening_hours": [usual("friday", "18:00", "02:00")]}, "closes_next_day: true"),
        ({"opening_hours": [usual("friday", "18:00", "18:00")]}, "closes_next_day: true"),
        ({"opening_hours": [usual("friday", "18:00", "19:00", next_day=True)]}, "24 hours"),
        ({"opening_hours": [usual("friday", "18:00", "24:00")]}, 'midnight is "00:00"'),
        ({"opening_hours": [usual("friday", "9:00", "10:00")]}, "in quotes"),
        ({"opening_hours": [usual("friday", "09:00:30", "10:00")]}, "in quotes"),
        ({"opening_hours": [{"day": "friday", "opens": 840, "closes": "20:00"}]}, "in quotes"),
        (
            {
                "opening_hours": [
                    usual("monday", "09:00", "12:00"),
                    usual("monday", "11:59", "13:00"),
                ]
            },
            "overlap on monday",
        ),
        (
            {
                "opening_hours": [
                    usual("tuesday", "01:00", "05:00"),
                    usual("monday", "18:00", "02:00", next_day=True),
                ]
            },
            "overlap on monday and tuesday",
        ),
        (
            {
                "opening_hours": [
                    usual("monday", "01:00", "05:00"),
                    usual("sunday", "18:00", "02:00", next_day=True),
                ]
            },
            "overlap on sunday and monday",
        ),
        ({"special_hours": [special("2026-12-24", "18:00", "02:00")]}, "closes_next_day: true"),
        ({"special_hours": [{"on": "2026-12-24"}]}, "or `closed: true`"),
        ({"special_hours": [{"on": "2026-12-24", "opens": "09:00"}]}, "give both"),
        ({"special_hours": [{"on": "2026-12-24", "closes": "09:00"}]}, "give both"),
        ({"special_hours": [{**closed("2026-12-24"), "opens": "09:00"}]}, "has no times"),
        ({"special_hours": [{**closed("2026-12-24"), "closes_next_day": True}]}, "has no times"),
        (
            {"special_hours": [closed("2026-12-24"), special("2026-12-24", "09:00", "10:00")]},
            "2026-12-24 is closed, and also",
        ),
        ({"special_hours": [closed("2026-12-24"), closed("2026-12-24")]}, "2026-12-24 is closed"),
        (
            {
                "special_hours": [
                    special("2026-12-24", "18:00", "02:00", next_day=True),
                    special("2026-12-25", "01:00", "03:00"),
                ]
            },
            "overlap on 2026-12-24 and 2026-12-25",
        ),
        (
            # 2026-12-24 is a Thursday.
            {
                "opening_hours": [usual("wednesday", "18:00", "02:00", next_day=True)],
                "special_hours": [special("2026-12-24", "01:00", "03:00")],
            },
            "overlap on 2026-12-23 and 2026-12-24",
        ),
        (
            {
                "opening_hours": [usual("friday", "01:00", "05:00")],
                "special_hours": [special("2026-12-24", "18:00", "02:00", next_day=True)],
            },
            "overlap on 2026-12-24 and 2026-12-25",
        ),
    ],
)
def test_hours_that_cannot_be_are_refused(fields: dict[str, object], words: str) -> None:
    """The reason says what is wrong, or what to write instead."""
    with pytest.raises(ValidationError, match=words):
        clinic_with(**fields)


@pytest.mark.parametrize(
    ("hours", "special_hours"),
    [
        (None, None),
        ([], []),
        ([usual("monday", "12:00", "14:00"), usual("monday", "09:00", "12:00")], None),
        ([usual(day, "00:00", "00:00", next_day=True) for day in DAYS], None),
        (
            [usual("sunday", "18:00", "02:00", next_day=True), usual("monday", "02:00", "03:00")],
            None,
        ),
        (
            None,
            [special("2026-12-24", "14:00", "15:00"), special("2026-12-24", "09:00", "12:00")],
        ),
        (
            [usual("wednesday", "18:00", "02:00", next_day=True)],
            [closed("2026-12-24"), special("9999-12-31", "09:00", "10:00"), closed("0001-01-01")],
        ),
    ],
)
def test_hours_that_can_be_are_accepted(hours: object, special_hours: object) -> None:
    """Openings may touch, follow each other on one day, and end after midnight."""
    clinic_with(opening_hours=hours, special_hours=special_hours)


def test_hours_stay_the_same_in_json() -> None:
    """JSON has the times as they are written, and JSON read again gives the same JSON."""
    clinic = clinic_with(
        opening_hours=[
            {"day": "monday", "opens": "09:30", "closes": "13:00:00"},
            usual("friday", "18:00", "00:00", next_day=True),
        ],
        special_hours=[closed("2026-12-24")],
    )
    dumped = clinic.model_dump(mode="json")
    assert dumped["opening_hours"] == [
        {"day": "monday", "opens": "09:30", "closes": "13:00", "closes_next_day": False},
        {"day": "friday", "opens": "18:00", "closes": "00:00", "closes_next_day": True},
    ]
    assert dumped["special_hours"] == [
        {
            "on": "2026-12-24",
            "opens": None,
            "closes": None,
            "closes_next_day": False,
            "closed": True,
            "note": None,
        }
    ]
    assert ClinicContent.model_validate(dumped).model_dump(mode="json") == dumped
    assert ClinicContent.model_validate(clinic.model_dump()) == clinic
