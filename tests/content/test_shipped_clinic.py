"""The shipped texts say what the clinic's information says: every fact, every hedge, no more.

These tests depend on the words of `data/content`. Change both together.
"""

import html
import re
from pathlib import Path

import httpx
import pytest
import yaml

from data.documents.files import SHIPPED_CONTENT, read_content
from tests.content.facts import (
    ALLOWED_NUMBERS,
    CAVEATED,
    CAVEATS,
    DEPEND_ON_STATUS,
    FACTS,
    FAQS,
    NEVER_STATED,
    SECTIONS,
    SITE_NOTICE,
    UNANSWERED,
    UNKNOWN,
)
from tests.support.commands import invoke

# The texts are the same on both databases; one test loads them on both.
pytestmark = [pytest.mark.shipped, pytest.mark.shared, pytest.mark.database("sqlite")]


def _one_line(text: str) -> str:
    return " ".join(text.split())


async def _texts(client: httpx.AsyncClient, noun: str) -> dict[str, str]:
    """Plain text of each section's body, or of each FAQ's answer, by slug."""
    field = {"sections": "body", "faqs": "answer"}[noun]
    listed = (await client.get(f"/v1/{noun}")).raise_for_status().json()["data"]
    return {item["slug"]: _one_line(item[field]["text"]) for item in listed}


async def _everything_said(client: httpx.AsyncClient) -> dict[str, str]:
    """All texts that are served about the clinic and ketamine, each with the name of its source."""
    said: dict[str, str] = {}
    for section in (await client.get("/v1/sections")).raise_for_status().json()["data"]:
        slug = f"section {section['slug']}"
        said |= {f"{slug}: {part}": section[part] for part in ("title", "summary")}
        said[f"{slug}: body"] = section["body"]["text"]
        said |= {f"{slug}: notice {n['slug']}": n["text"] for n in section["notices"]}
        said |= {f"{slug}: reference": r["label"] for r in section["references"]}
    for faq in (await client.get("/v1/faqs")).raise_for_status().json()["data"]:
        said[f"faq {faq['slug']}: answer"] = faq["answer"]["text"]
        if faq["answered"]:
            said[f"faq {faq['slug']}: question"] = faq["question"]
    clinic = (await client.get("/v1/clinic")).raise_for_status().json()
    said |= {f"treatment {t['slug']}": t["summary"] for t in clinic["treatments"]}
    status = (await client.get("/v1/status")).raise_for_status().json()
    said |= {f"status: {part}": status[part] for part in ("headline", "message")}
    return {where: _one_line(text) for where, text in said.items()}


def test_the_shipped_content_has_no_fault(tmp_path: Path) -> None:
    """`check` without a folder checks what is shipped."""
    assert invoke("check", folder=tmp_path).stdout == "No faults in 4 sections and 27 FAQs.\n"


@pytest.mark.database("sqlite", "postgresql")
async def test_each_text_is_served_as_its_file_says(client: httpx.AsyncClient) -> None:
    """On both databases, the clinic, the sections, the FAQs and the form have the files' values."""
    content = read_content(SHIPPED_CONTENT)
    bundle = (await client.get("/v1/bundle")).json()
    assert bundle["clinic"] == content.clinic.model_dump(mode="json", exclude={"locale"})
    assert {s["slug"]: s["body"]["markdown"] for s in bundle["sections"]} == {
        file.section.slug: file.section.markdown for file in content.sections
    }
    assert [(f["slug"], f["question"]) for f in bundle["faqs"]] == [
        (faq.slug, faq.question) for faq in content.faqs.faqs
    ]
    assert content.form.messages.items() <= bundle["form"]["messages"].items()


async def test_sections_and_faqs_are_complete_and_in_order(client: httpx.AsyncClient) -> None:
    """There are four sections and 27 FAQs, in this order."""
    sections = (await client.get("/v1/sections")).json()
    assert [(s["slug"], s["title"]) for s in sections["data"]] == list(SECTIONS.items())
    assert [s["position"] for s in sections["data"]] == [1, 2, 3, 4]
    assert sections["meta"]["total"] == 4

    faqs = (await client.get("/v1/faqs")).json()
    assert [(f["slug"], f["topic"], f["section"]) for f in faqs["data"]] == FAQS
    assert faqs["meta"]["total"] == 27


async def test_faqs_say_what_kind_of_answer_they_give(client: httpx.AsyncClient) -> None:
    """The first four answers depend on the clinic's state; the last seven questions have none."""
    faqs = (await client.get("/v1/faqs")).json()["data"]
    assert [f["slug"] for f in faqs if f["depends_on_status"]] == DEPEND_ON_STATUS
    unanswered = {f["slug"]: f["answer"]["text"] for f in faqs if not f["answered"]}
    assert unanswered == dict.fromkeys(UNANSWERED, UNKNOWN)


@pytest.mark.parametrize(("section", "faqs", "facts"), FACTS, ids=[f[2][0] for f in FACTS])
async def test_each_fact_stands_where_it_belongs(
    client: httpx.AsyncClient, section: str | None, faqs: list[str], facts: list[str]
) -> None:
    """Each fact, with its hedges, is in exactly these texts."""
    bodies = await _texts(client, "sections")
    answers = await _texts(client, "faqs")
    for words in facts:
        assert {slug for slug, text in bodies.items() if words in text} == {section} - {None}
        assert [slug for slug, text in answers.items() if words in text] == faqs


@pytest.mark.parametrize("claim", ["safe use", "does not depress", "years of research", "exciting"])
async def test_the_clinics_own_claims_stay_its_own(client: httpx.AsyncClient, claim: str) -> None:
    """Each claim of the clinic is attributed to it in the same sentence."""
    said = await _everything_said(client)
    sentences = [s for text in said.values() for s in re.split(r"(?<=[.?]) ", text) if claim in s]
    assert sentences
    for sentence in sentences:
        assert re.search(r"\bthe clinic (also )?states\b", sentence, re.IGNORECASE)


async def test_nothing_is_said_that_is_not_known(client: httpx.AsyncClient) -> None:
    """No text names a price, a dose, a person, an address, another condition or another number."""
    for where, text in (await _everything_said(client)).items():
        assert not re.search(NEVER_STATED, text, re.IGNORECASE), where
        assert set(re.findall(r"\d+", text)) <= ALLOWED_NUMBERS, where
        assert text.isascii(), where


async def test_anxiety_is_named_in_one_heading_only(client: httpx.AsyncClient) -> None:
    """Anxiety disorders are named only in the title of one section."""
    said = await _everything_said(client)
    named = [where for where, text in said.items() if "anxiety" in text.lower()]
    assert named == ["section how-ketamine-helps: title"]


async def test_closed_answers_offer_nothing(client: httpx.AsyncClient) -> None:
    """While the clinic is permanently closed, answers about its offer are in the past tense."""
    answers = await _texts(client, "faqs")
    assert answers["is-the-clinic-open"].startswith("No.")
    assert answers["can-i-request-a-consultation"].startswith("No.")
    assert "The clinic was in" in answers["where-is-the-clinic"]
    assert "It offered ketamine" in answers["what-does-the-clinic-offer"]
    for slug in DEPEND_ON_STATUS:
        assert not re.search(r"\b(offers|treats|we|you can|clinic is in)\b", answers[slug])


def test_answers_for_the_other_states_promise_no_day() -> None:
    """An answer for a temporarily closed clinic promises no reopening."""
    faqs = {
        faq["slug"]: faq
        for faq in yaml.safe_load((SHIPPED_CONTENT / "faqs.yaml").read_text("utf-8"))["faqs"]
    }
    assert [slug for slug, faq in faqs.items() if "answers" in faq] == DEPEND_ON_STATUS
    for slug in DEPEND_ON_STATUS:
        answers = faqs[slug]["answers"]
        assert "temporarily closed" in answers["temporarily_closed"]
        assert not re.search(r"reopen|soon|again|\d", answers["temporarily_closed"])
        assert "closed" not in answers["open"]


@pytest.mark.parametrize("slug", [*SECTIONS, *(slug for slug, _, _ in FAQS)])
async def test_each_text_carries_its_notices(client: httpx.AsyncClient, slug: str) -> None:
    """Each text begins with the status notice; caveats follow where they apply."""
    status = (await client.get("/v1/status")).json()
    expected = {"clinic-status": status["message"], "not-a-substitute-for-care": SITE_NOTICE}
    if slug in CAVEATED:
        expected |= CAVEATS
    found = 0
    for noun in ("sections", "faqs"):
        answer = await client.get(f"/v1/{noun}/{slug}")
        if answer.status_code == 404:
            continue
        found += 1
        notices = answer.raise_for_status().json()["notices"]
        assert notices[0]["slug"] == "clinic-status"
        assert len(notices) == len(expected)
        assert {n["slug"]: n["text"] for n in notices} == expected
    assert found


async def test_markdown_html_and_text_say_the_same_words(client: httpx.AsyncClient) -> None:
    """HTML without tags and Markdown without marks equal the plain text."""
    listed = (await client.get("/v1/sections")).json()["data"]
    bodies = [section["body"] for section in listed]
    bodies += [faq["answer"] for faq in (await client.get("/v1/faqs")).json()["data"]]
    for body in bodies:
        words = body["text"].split()
        without_tags = html.unescape(re.sub(r"<[^>]+>", "", body["html"]))
        assert without_tags.split() == words
        assert body["markdown"].replace("*", "").split() == words
        assert set(re.findall(r"<(\w+)", body["html"])) <= {"p", "strong", "em"}


async def test_summaries_fit_a_meta_description(client: httpx.AsyncClient) -> None:
    """A section's summary is one sentence of at most 160 characters."""
    for section in (await client.get("/v1/sections")).json()["data"]:
        summary = section["summary"]
        assert len(summary) <= 160
        assert summary.endswith(".")
        assert not re.search(r"[.?!] ", summary)


async def test_the_mechanisms_summary_keeps_its_hedge(client: httpx.AsyncClient) -> None:
    """The summary of how ketamine helps says that this is not fully understood."""
    section = (await client.get("/v1/sections/how-ketamine-helps")).json()
    assert "not fully understood" in section["summary"]


async def test_references_are_named_without_an_address(client: httpx.AsyncClient) -> None:
    """Stanford Medicine and WebMD are references without a URL."""
    for slug in SECTIONS:
        references = (await client.get(f"/v1/sections/{slug}")).json()["references"]
        labels = ["Stanford Medicine", "WebMD"] if slug == "off-label-use" else []
        assert references == [{"label": label, "url": None} for label in labels]


async def test_only_the_last_section_calls_to_action(client: httpx.AsyncClient) -> None:
    """One section has a button, disabled while the clinic is closed.

    No section has an image or the date of a review.
    """
    for slug in SECTIONS:
        section = (await client.get(f"/v1/sections/{slug}")).json()
        call = section["call_to_action"]
        if slug == "how-we-can-help":
            assert call["label"] == "Request Your Consultation Now"
            assert call["enabled"] is False
        else:
            assert call is None
        assert section["image"] is None
        assert section["review"]["last_reviewed_on"] is None
        assert section["review"]["next_review_due_on"] is None


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
    assert "does not mean that treatment is offered" in status["message"]
    assert status["effective_from"] is None
    assert status["reopens_on"] is None
    assert status["closure"] == dict.fromkeys(("records_contact", "records_url", "note"))
    assert status["alternatives"] == []
    assert status["safety_resources"] == []


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
