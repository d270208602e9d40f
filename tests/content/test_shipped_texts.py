"""The shipped texts say what the clinic's information says: every fact, every hedge, no more.

These tests depend on the words of `data/content`. Change both together.
"""

import html
import re

import httpx
import pytest

from tests.content.facts import (
    ALLOWED_NUMBERS,
    CALL,
    CAVEATED,
    CAVEATS,
    DEPEND_ON_STATUS,
    FACTS,
    FAQS,
    NEVER_STATED,
    SECTIONS,
    SITE_NOTICE,
    TOPICS,
    UNANSWERED,
    UNKNOWN,
)

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


async def test_sections_and_faqs_are_complete_and_in_order(client: httpx.AsyncClient) -> None:
    """There are four sections and 27 FAQs, in this order."""
    sections = (await client.get("/v1/sections")).json()
    assert [(s["slug"], s["title"]) for s in sections["data"]] == list(SECTIONS.items())
    assert [s["position"] for s in sections["data"]] == [1, 2, 3, 4]
    assert sections["meta"]["total"] == 4

    faqs = (await client.get("/v1/faqs")).json()
    assert [(f["slug"], f["topic"], f["section"]) for f in faqs["data"]] == FAQS
    assert [faq["position"] for faq in faqs["data"]] == [*range(1, 28)]
    assert faqs["meta"]["total"] == 27
    assert faqs["meta"]["topics"] == [{"slug": slug, "name": name} for slug, name in TOPICS.items()]


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


@pytest.mark.parametrize(
    "claim", ["safe use", "does not depress", "used extensively", "years of research", "exciting"]
)
async def test_the_clinics_own_claims_stay_its_own(client: httpx.AsyncClient, claim: str) -> None:
    """Each claim of the clinic is attributed to it in the same sentence."""
    said = await _everything_said(client)
    sentences = [s for text in said.values() for s in re.split(r"(?<=[.?]) ", text) if claim in s]
    assert sentences
    for sentence in sentences:
        assert re.search(r"\bthe clinic (also )?(states|points|calls)\b", sentence, re.IGNORECASE)


async def test_no_day_of_a_text_is_known(client: httpx.AsyncClient) -> None:
    """No text has a day, and words that depend on it name the day of the clinic's writing."""
    texts = (await client.get("/v1/sections")).json()["data"]
    texts += (await client.get("/v1/faqs")).json()["data"]
    for text in texts:
        assert (text["published_at"], text["updated_at"]) == (None, None)
        words = (text.get("body") or text["answer"])["text"]
        assert not re.search(r"\b(today|now|currently|recent)\b", words.replace(CALL, ""), re.I)
        for sentence in re.split(r"(?<=[.?]) ", words):
            assert "still" not in sentence or "when the clinic wrote this" in sentence
    assert (await client.get("/v1/status")).json()["updated_at"] is None


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


async def test_closed_texts_offer_nothing(client: httpx.AsyncClient) -> None:
    """While the clinic is permanently closed, texts about its offer are in the past tense."""
    answers = await _texts(client, "faqs")
    assert answers["is-the-clinic-open"].startswith("No.")
    assert answers["can-i-request-a-consultation"].startswith("No, not any longer.")
    assert "The clinic was in" in answers["where-is-the-clinic"]
    assert answers["what-does-the-clinic-offer"].startswith("None anymore.")
    texts = [answers[slug] for slug in DEPEND_ON_STATUS]
    for text in [*texts, (await _texts(client, "sections"))["how-we-can-help"]]:
        assert not re.search(r"\b(offers|treats|we|you can|clinic is in|therapy is)\b", text)


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
            assert call["label"] == CALL
            assert call["enabled"] is False
        else:
            assert call is None
        assert section["image"] is None
        assert section["review"]["last_reviewed_on"] is None
        assert section["review"]["next_review_due_on"] is None
