"""FAQs, and the kinds of answers that they have."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.shared


async def listed(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    faqs = (await client.get("/v1/faqs")).raise_for_status().json()
    assert faqs["meta"]["total"] == 6
    return {faq["slug"]: faq for faq in faqs["data"]}


async def test_faqs_come_in_the_order_of_their_file(client: httpx.AsyncClient) -> None:
    """Each has its position, its topic, and the section that it belongs to."""
    faqs = (await listed(client)).values()
    assert [(f["position"], f["slug"], f["topic"], f["section"]) for f in faqs] == [
        (1, "can-i-come-now", "visits", None),
        (2, "what-to-bring", "visits", "first-visit"),
        (3, "how-often-to-exercise", "training", "exercises"),
        (4, "may-it-hurt", "training", "exercises"),
        (5, "how-long-it-takes", "healing", "recovery"),
        (6, "what-it-costs", "visits", None),
    ]


async def test_an_faq_with_everything(client: httpx.AsyncClient) -> None:
    """Question, answer in three formats, notices, version and state."""
    faq = (await client.get("/v1/faqs/may-it-hurt")).json()
    assert faq.pop("published_at") == faq.pop("updated_at")
    assert [notice["slug"] for notice in faq.pop("notices")] == [
        "clinic-status", "ask-your-therapist", "stop-if-it-hurts", "healing-times-differ",
    ]  # fmt: skip
    assert faq == {
        "slug": "may-it-hurt",
        "question": "May an exercise hurt?",
        "answer": {
            "markdown": "No. A stretch can be felt, but it must not hurt. Read [the exercises]"
            "(/sections/exercises) again, and do fewer of them.",
            "html": "<p>No. A stretch can be felt, but it must not hurt. Read "
            '<a href="/sections/exercises" rel="noopener noreferrer">the exercises</a> again, and '
            "do fewer of them.</p>",
            "text": "No. A stretch can be felt, but it must not hurt. Read the exercises again, "
            "and do fewer of them.",
        },
        "answered": True,
        "topic": "training",
        "position": 4,
        "section": "exercises",
        "depends_on_status": False,
        "clinic_state": "permanently_closed",
        "locale": "en-US",
        "version": 1,
    }


async def test_faqs_say_what_kind_of_answer_they_give(client: httpx.AsyncClient) -> None:
    """One answer depends on the clinic's state, and one question is not answered."""
    faqs = await listed(client)
    assert [slug for slug, faq in faqs.items() if faq["depends_on_status"]] == ["can-i-come-now"]
    assert [slug for slug, faq in faqs.items() if not faq["answered"]] == ["what-it-costs"]
    assert faqs["what-it-costs"]["answer"]["text"] == "The texts of the practice do not say."


async def test_an_answer_for_the_state(client: httpx.AsyncClient, open_clinic: None) -> None:
    """An open clinic has the answer for an open clinic, and no notice of its status."""
    faq = (await listed(client))["can-i-come-now"]
    assert faq["answer"]["text"] == "Yes. The practice is open."
    assert [notice["slug"] for notice in faq["notices"]] == ["ask-your-therapist"]


async def test_a_former_slug_leads_to_the_faq(client: httpx.AsyncClient) -> None:
    """A former slug of the content file is redirected."""
    answer = await client.get("/v1/faqs/exercise-frequency")
    assert (answer.status_code, answer.headers["Location"]) == (
        308,
        "/v1/faqs/how-often-to-exercise",
    )
