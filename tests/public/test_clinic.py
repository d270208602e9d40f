"""The clinic as JSON and as JSON-LD (schema.org), and the entry point `/`."""

from typing import Any

import httpx
import pytest
from pydantic_core import to_jsonable_python
from sqlalchemy import Engine

from models.document import DocumentKey, Kind
from models.service import VERSION
from tests.support.apps import set_status
from tests.support.clinic import clinic_content
from tests.support.documents import LOCALE, publish

JSON_LD = "application/ld+json"
# What is served of the clinic of the tests in every state.
IN_JSON_LD: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "MedicalClinic",
    "name": "Sample Physiotherapy",
    "url": "https://physio.example/",
    "telephone": "(312) 555-0142",
    "email": "desk@physio.example",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "1 Sample Street",
        "addressLocality": "Exampleton",
        "addressRegion": "Illinois",
        "addressCountry": "US",
    },
}


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


@pytest.mark.shared
async def test_the_clinic_is_served_as_its_file_says(client: httpx.AsyncClient) -> None:
    """Every value of `clinic.yaml` but the topics of FAQs, and the facts of its state."""
    clinic = (await client.get("/v1/clinic")).json()
    content = clinic_content().contents[DocumentKey(Kind.CLINIC, Kind.CLINIC, LOCALE)]
    status = (await client.get("/v1/status")).json()
    notices = clinic.pop("notices")
    assert notices[0] == {"slug": "clinic-status", "text": status["message"]}
    assert clinic == {
        # With seconds in the opening hours, which the file does not have.
        **to_jsonable_python(content.model_dump(exclude={"faq_topics"})),
        "opening": None,
        "clinic_state": "permanently_closed",
        "locale": LOCALE,
    }
    assert len(clinic["opening_hours"]) == 3


async def test_the_closed_clinic_in_json_ld(client: httpx.AsyncClient) -> None:
    """A closed clinic is a `MedicalClinic` without services; unknown values are left out."""
    document = await json_ld(client)
    status = (await client.get("/v1/status")).json()
    assert document == {**IN_JSON_LD, "description": status["message"]}


async def test_what_is_not_known_is_left_out_of_json_ld(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A value that is null in the JSON has no member, and an empty list has none either."""
    publish(engine, "clinic", name=None, opening_hours=None, contact={}, treatments=[])
    document = await json_ld(client)
    address = {k: v for k, v in IN_JSON_LD["address"].items() if k != "streetAddress"}
    assert document == {
        **{name: IN_JSON_LD[name] for name in ("@context", "@type")},
        "address": address,
    }
    clinic = (await client.get("/v1/clinic")).json()
    assert clinic["name"] is clinic["opening_hours"] is None
    assert set(clinic["contact"].values()) == {None}


async def test_an_open_clinic_in_json_ld(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """An open clinic has its services, opening hours and contact."""
    document = await json_ld(client)
    assert {name: document[name] for name in IN_JSON_LD} == IN_JSON_LD
    assert "description" not in document
    assert [
        (hours["@type"], hours["dayOfWeek"], hours["opens"], hours["closes"])
        for hours in document["openingHoursSpecification"]
    ] == [
        ("OpeningHoursSpecification", f"https://schema.org/{day}", opens, closes)
        for day, opens, closes in (
            ("Monday", "09:00:00", "12:30:00"),
            ("Monday", "14:00:00", "18:00:00"),
            ("Thursday", "08:00:00", "16:00:00"),
        )
    ]
    treatments = (await client.get("/v1/clinic")).json()["treatments"]
    assert len(treatments) == 2
    assert document["availableService"] == [
        {"@type": "MedicalTherapy", "name": one["name"], "description": one["summary"]}
        for one in treatments
    ]
    set_status(engine, state="temporarily_closed")
    document = await json_ld(client)
    assert (
        document["description"]
        == "The practice is temporarily closed. The texts describe it as it is when it is open."
    )
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
