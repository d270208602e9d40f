"""Telephone numbers: the clinic's country, and extensions."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from tests.support.documents import publish
from tests.support.intake import body_of, faults, opened, post


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("US", "(212) 555-0123", "+12125550123"),
        ("US", "212 555 0123 ext. 5", "+12125550123;ext=5"),
        ("US", "212-555-0123 x 007", "+12125550123;ext=007"),
        ("US", "+34 954 12 34 56", "+34954123456"),
        ("US", "tel:+1-212-555-0123;ext=42", "+12125550123;ext=42"),
        ("ES", "954 12 34 56", "+34954123456"),
        ("ES", "+1 212 555 0123", "+12125550123"),
        ("DE", "030 901820", "+4930901820"),
        ("ES", "(212) 555-0123", None),
        ("US", "954 12 34 56", None),
    ],
)
async def test_phone_numbers_of_the_clinic_s_country(
    app: FastAPI,
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    country: str,
    typed: str,
    stored: str | None,
) -> None:
    """A number without `+` is one of the clinic's country; its extension is kept."""
    publish(engine, "clinic", country=country)
    answer = await post(client, body_of(email=..., phone=typed))
    if stored is None:
        assert faults(answer) == [("#/phone", "phone.invalid")]
        return
    assert answer.status_code == 201, answer.text
    assert (opened(app, answer) or {})["phone"] == stored
