"""The clinic as JSON and as JSON-LD (schema.org), and the entry point `/`."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from data.database import writing
from data.documents.publications import record_change
from models.clinic import Clinic
from models.publication import Kind
from models.service import VERSION
from tests.support.apps import set_status

JSON_LD = "application/ld+json"


async def json_ld(client: httpx.AsyncClient) -> dict[str, Any]:
    """The clinic as JSON-LD."""
    answer = await client.get("/v1/clinic", headers={"Accept": JSON_LD})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == JSON_LD
    document: dict[str, Any] = answer.json()
    return document


async def test_the_entry_point(client: httpx.AsyncClient) -> None:
    """`/` has the version, the clinic's state, and links that all work."""
    service = (await client.get("/")).json()
    assert service["version"] == VERSION
    assert service["clinic_state"] == "permanently_closed"
    assert len(service["links"]) >= 7
    for name, path in service["links"].items():
        assert (await client.get(path)).status_code == 200, name


async def test_the_closed_clinic_in_json_ld(client: httpx.AsyncClient) -> None:
    """A closed clinic is a `MedicalClinic` without services; unknown values are left out."""
    document = await json_ld(client)
    status = (await client.get("/v1/status")).json()
    assert document == {
        "@context": "https://schema.org",
        "@type": "MedicalClinic",
        "description": status["message"],
        "address": {
            "@type": "PostalAddress",
            "addressLocality": "Portland",
            "addressRegion": "Oregon",
            "addressCountry": "US",
        },
    }


async def test_an_open_clinic_in_json_ld(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """An open clinic has its services, opening hours and contact."""
    with writing(engine) as session:
        clinic = session.exec(select(Clinic)).one()
        clinic.name = "A clinic"
        clinic.contact = {**clinic.contact, "phone": "+15035550100", "address": "1 Main Street"}
        clinic.opening_hours = [{"day": "monday", "opens": "09:00:00", "closes": "17:30:00"}]
        session.add(clinic)
        record_change(session, kind=Kind.CLINIC)
    document = await json_ld(client)
    assert "description" not in document
    assert (document["name"], document["telephone"]) == ("A clinic", "+15035550100")
    assert document["address"]["streetAddress"] == "1 Main Street"
    assert document["openingHoursSpecification"] == [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": "https://schema.org/Monday",
            "opens": "09:00:00",
            "closes": "17:30:00",
        }
    ]
    [service] = document["availableService"]
    assert service["@type"] == "MedicalTherapy"
    [treatment] = (await client.get("/v1/clinic")).json()["treatments"]
    assert (service["name"], service["description"]) == (treatment["name"], treatment["summary"])
    set_status(engine, state="temporarily_closed")
    document = await json_ld(client)
    assert "temporarily closed" in document["description"]
    assert "availableService" not in document
    assert "openingHoursSpecification" not in document


@pytest.mark.shared
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/ld+json", JSON_LD),
        ("Application/LD+JSON; q=0.5", JSON_LD),
        ("application/ld+json, application/json", JSON_LD),
        ("application/ld+json;q=0.5, application/json", "application/json"),
        ("application/ld+json;q=0.9, application/json;q=0.1", JSON_LD),
        ("application/ld+json;q=0", "application/json"),
        ("application/ld+json;q=x", "application/json"),
        ("application/ld+json;q=nan", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("image/png", "application/json"),
        (",;=,;q=;,", "application/json"),
    ],
)
async def test_content_negotiation(
    client: httpx.AsyncClient, accept: str | None, media_type: str
) -> None:
    """JSON-LD needs an explicit media type with the highest weight; otherwise it is JSON."""
    headers = {} if accept is None else {"Accept": accept}
    answer = await client.get("/v1/clinic", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert "Accept" in answer.headers["Vary"].split(", ")


async def test_each_representation_has_its_own_tag(client: httpx.AsyncClient) -> None:
    """The entity tag of one representation never gives a 304 for the other."""
    plain = await client.get("/v1/clinic")
    linked = await client.get("/v1/clinic", headers={"Accept": JSON_LD})
    assert plain.headers["ETag"] != linked.headers["ETag"]
    crossed = {"Accept": JSON_LD, "If-None-Match": plain.headers["ETag"]}
    assert (await client.get("/v1/clinic", headers=crossed)).status_code == 200
    own = {"Accept": JSON_LD, "If-None-Match": linked.headers["ETag"]}
    assert (await client.get("/v1/clinic", headers=own)).status_code == 304
