"""Sections, each with all that is served with it."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.shared

STATUS = {
    "slug": "clinic-status",
    "text": "The practice is permanently closed. The texts describe it as it was.",
}
ASK = {
    "slug": "ask-your-therapist",
    "text": "These texts do not replace the advice of your therapist.",
}
STOP = {"slug": "stop-if-it-hurts", "text": "Stop an exercise that hurts."}
TIMES = {"slug": "healing-times-differ", "text": "Every injury heals in its own time."}


async def read(client: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/sections/{slug}")
    assert answer.status_code == 200, answer.text
    section: dict[str, Any] = answer.json()
    return section


async def test_a_section_with_everything(client: httpx.AsyncClient) -> None:
    """Title, summary, text, image, references, notices, review, and the slugs of its FAQs."""
    section = await read(client, "exercises")
    body = section.pop("body")
    assert section == {
        "slug": "exercises",
        "title": 'Exercises for "stiff" joints',
        "summary": "Three exercises that you can do at home, twice a day.",
        "position": 2,
        "image": {
            "url": "https://physio.example/bridge.png",
            "alt": "A person lies on the back and lifts the hips.",
        },
        "notices": [STATUS, ASK, STOP],
        "references": [
            {"label": "Handbook of Samples", "url": "https://handbook.example/joints"},
            {"label": "A lost leaflet", "url": None},
        ],
        "call_to_action": None,
        "review": {
            "status": "overdue",
            "last_reviewed_on": "2020-01-15",
            "next_review_due_on": "2021-01-15",
        },
        "faqs": ["how-often-to-exercise", "may-it-hurt"],
        "clinic_state": "permanently_closed",
        "locale": "en-US",
        "version": 1,
        "published_at": None,
        "updated_at": None,
    }
    assert body["markdown"].startswith("## At home\n\n- **Bridge**: lie on your back")
    assert body["html"].startswith("<h2>At home</h2>\n<ul>\n<li><strong>Bridge</strong>: lie")
    assert body["text"].startswith("At home\n\n- Bridge: lie on your back")


async def test_sections_come_in_the_order_of_their_positions(client: httpx.AsyncClient) -> None:
    """The list has all sections, ordered by position and not by slug."""
    listed = (await client.get("/v1/sections")).json()
    assert [(s["position"], s["slug"]) for s in listed["data"]] == [
        (1, "first-visit"), (2, "exercises"), (3, "recovery"), (4, "appointments"),
    ]  # fmt: skip
    assert listed["meta"]["total"] == 4


@pytest.mark.parametrize(
    ("slug", "notices"),
    [
        ("first-visit", [STATUS, ASK]),
        ("recovery", [STATUS, ASK, STOP, TIMES]),
        ("appointments", [STATUS, ASK]),
    ],
)
async def test_notices_come_in_their_order(
    client: httpx.AsyncClient, slug: str, notices: list[dict[str, str]]
) -> None:
    """The clinic's status comes first, then the site's notice, then those that the text names."""
    assert (await read(client, slug))["notices"] == notices


@pytest.mark.parametrize(
    ("slug", "review"),
    [("first-visit", "current"), ("exercises", "overdue"), ("recovery", "unknown")],
)
async def test_a_review_is_current_until_it_is_due(
    client: httpx.AsyncClient, slug: str, review: str
) -> None:
    """Overdue after the day on which it is due, and unknown where none was recorded."""
    assert (await read(client, slug))["review"]["status"] == review


async def test_a_button_is_disabled_with_its_reason(client: httpx.AsyncClient) -> None:
    """One section has a button; the others have `null`."""
    for slug in ("first-visit", "exercises", "recovery"):
        assert (await read(client, slug))["call_to_action"] is None
    assert (await read(client, "appointments"))["call_to_action"] == {
        "label": "Ask for an appointment",
        "enabled": False,
        "disabled_reason": "permanently_closed",
    }


async def test_a_former_slug_leads_to_the_section(client: httpx.AsyncClient) -> None:
    """A former slug of a content file is redirected."""
    answer = await client.get("/v1/sections/before-your-visit")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/v1/sections/first-visit")


async def test_markdown_html_and_text_have_the_same_words(client: httpx.AsyncClient) -> None:
    """A list keeps its numbers, a link its address, its title and no referrer."""
    body = (await read(client, "first-visit"))["body"]
    assert "[exercises](https://physio.example/exercises" in body["markdown"]
    assert (
        '<a href="https://physio.example/exercises" title="Exercises" rel="noopener noreferrer">'
        "exercises</a>"
    ) in body["html"]
    assert '<a href="mailto:desk@physio.example" rel="noopener noreferrer">' in body["html"]
    assert body["html"].count("<li>") == 3
    assert body["text"] == (
        "At your first visit the therapist asks where it hurts and since when, and looks at how "
        "you stand and walk. That takes about 40 minutes.\n\n"
        "Then the two of you agree on a plan:\n\n"
        "1. what you want to be able to do again\n\n"
        "2. the exercises that help with it\n\n"
        "3. the day of your next visit\n\n"
        "Please write to the desk if you cannot come."
    )
