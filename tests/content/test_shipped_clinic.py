"""The shipped clinic: its files, its status, its form, and what is known of it.

These tests depend on the words of `data/content`. Change both together.
"""

import re
from pathlib import Path

import httpx
import pytest

from data.documents.files import SHIPPED_CONTENT, read_content
from models.document import DocumentKey, Kind
from models.faq import FAQContent
from models.section import SectionContent
from models.values import ClinicState
from tests.support.commands import invoke

LOCALE = "en-US"
# The texts are the same on both databases; one test loads them on both.
pytestmark = [pytest.mark.shipped, pytest.mark.shared, pytest.mark.database("sqlite")]


def test_the_shipped_content_has_no_fault(tmp_path: Path) -> None:
    """`content check` finds no fault in the shipped folder."""
    checked = invoke("content", "check", str(SHIPPED_CONTENT), folder=tmp_path)
    assert checked.stdout == "No faults in 4 sections and 27 FAQs.\n"


@pytest.mark.database("sqlite", "postgresql")
async def test_each_text_is_served_as_its_file_says(client: httpx.AsyncClient) -> None:
    """On both databases, the clinic, the sections, the FAQs and the form have the files' values."""
    contents = read_content(SHIPPED_CONTENT).contents
    bundle = (await client.get("/v1/bundle")).json()
    clinic = contents[DocumentKey(Kind.CLINIC, Kind.CLINIC, LOCALE)].model_dump(mode="json")
    topics = clinic.pop("faq_topics")
    assert {name: bundle["clinic"][name] for name in clinic} == clinic
    assert (await client.get("/v1/faqs")).json()["meta"]["topics"] == topics
    assert {s["slug"]: s["body"]["markdown"] for s in bundle["sections"]} == {
        key.slug: content.body or (content.body_by_state or {})[ClinicState.PERMANENTLY_CLOSED]
        for key, content in contents.items()
        if isinstance(content, SectionContent)
    }
    assert {f["slug"]: f["question"] for f in bundle["faqs"]} == {
        key.slug: content.question
        for key, content in contents.items()
        if isinstance(content, FAQContent)
    }
    form = contents[DocumentKey(Kind.FORM, Kind.FORM, LOCALE)].model_dump(mode="json")
    assert bundle["form"]["safety_notice"] == form["safety_notice"]
    assert form["messages"].items() <= bundle["form"]["messages"].items()


async def test_the_clinic_is_what_is_known_of_it(client: httpx.AsyncClient) -> None:
    """The clinic has one treatment, two conditions and a city; unknown values are null."""
    clinic = (await client.get("/v1/clinic")).json()
    assert (clinic["locality"], clinic["region"], clinic["country"]) == ("Portland", "Oregon", "US")
    assert clinic["time_zone"] == "America/Los_Angeles"
    assert clinic["name"] is None
    assert clinic["opening_hours"] is None
    assert clinic["contact"] == dict.fromkeys(("phone", "email", "website", "address"))
    assert [c["name"] for c in clinic["conditions"]] == ["Mood disorders", "Chronic pain"]
    [treatment] = clinic["treatments"]
    assert treatment["slug"] == "ketamine-infusion-therapy"
    assert treatment["name"] == "Ketamine infusion therapy"
    assert "help treat various mood disorders and chronic pain" in treatment["summary"]
    assert not re.search(r"\b(offers|offered|we)\b", treatment["summary"])


async def test_the_closed_clinic_in_json_ld(client: httpx.AsyncClient) -> None:
    """A `MedicalClinic` in a city, whose description says that it is closed, and no more."""
    answer = await client.get("/v1/clinic", headers={"Accept": "application/ld+json"})
    status = (await client.get("/v1/status")).json()
    assert answer.json() == {
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


async def test_the_status_says_closed_and_no_more(client: httpx.AsyncClient) -> None:
    """The clinic is permanently closed; when, why and where its records went is null."""
    status = (await client.get("/v1/status")).json()
    assert status["state"] == "permanently_closed"
    assert "permanently closed" in status["headline"]
    assert "permanently closed" in status["message"]
    assert status["message"] == (
        "The clinic is permanently closed. You can still read its information."
        " Where a text says that the clinic offers something, it no longer does."
    )
    assert "no longer" in status["consultations"]["message"]
    assert status["effective_from"] is None
    assert status["reopens_on"] is None
    assert status["closure"] == dict.fromkeys(("records_contact", "records_url", "note"))
    assert status["alternatives"] is None
    assert status["safety_resources"] is None


async def test_the_form_speaks_its_agreed_words(client: httpx.AsyncClient) -> None:
    """The safety notice and the text of the consent are exactly the agreed ones."""
    form = (await client.get("/v1/consultation-requests/form")).json()
    assert form["safety_notice"] == (
        "This form is not for emergencies."
        " If you are in danger or in crisis, call your local emergency number."
    )
    [consent] = form["consents"]
    assert consent == {
        "purpose": "contact",
        "field": "consent_to_contact",
        "version": 1,
        "required": True,
        "text": "The clinic may use what I enter here to contact me about this request,"
        " and for nothing else.",
    }
