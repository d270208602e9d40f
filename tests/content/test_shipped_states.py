"""The shipped texts in each state of the clinic, and for each way to take requests.

These tests depend on the words of `data/content`. Change both together.
"""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from data.documents.files import SHIPPED_CONTENT, read_content
from tests.content.facts import CALL, DEPEND_ON_STATUS, FAQS, NEVER_STATED, SHOWN_IN, UNKNOWN
from tests.support.apps import set_status

pytestmark = [pytest.mark.shipped, pytest.mark.database("sqlite")]

OFFER = 'ketamine infusion therapy ("Ketamine Treatments")'


def _variants() -> Iterator[tuple[str, str]]:
    """Each text that depends on the clinic's state or mode, with the name of its source."""
    for key, content in read_content(SHIPPED_CONTENT).contents.items():
        values = content.model_dump()
        for name in ("body_by_state", "answer_by_state", "answer_by_mode"):
            for variant, text in (values.get(name) or {}).items():
                yield f"{key.slug}: {variant}", text
        for name in ("texts", "intake_messages"):
            for variant, text in (values.get(name) or {}).items():
                yield f"{key.slug}: {variant}", str(text)


def test_no_variant_says_what_is_not_known() -> None:
    """Also the texts for other states name no price, person, address, condition or number."""
    variants = dict(_variants())
    assert len(variants) == 3 * 4 + 4 + 3 + 3
    for where, text in variants.items():
        assert not re.search(NEVER_STATED, text, re.IGNORECASE), where
        assert not re.search(r"\d|anxiety", text), where
        assert text.isascii(), where


async def _answer(client: httpx.AsyncClient, slug: str) -> str:
    faq = (await client.get(f"/v1/faqs/{slug}")).raise_for_status().json()
    assert faq["depends_on_status"]
    return " ".join(faq["answer"]["text"].split())


async def _body(client: httpx.AsyncClient, slug: str) -> str:
    section = (await client.get(f"/v1/sections/{slug}")).raise_for_status().json()
    return " ".join(section["body"]["text"].split())


@pytest.mark.parametrize("state", ["open", "temporarily_closed", "permanently_closed"])
async def test_questions_about_the_closure_are_asked_when_closed(
    client: httpx.AsyncClient, engine: Engine, state: str
) -> None:
    """An FAQ that has no sense in a state is not listed in it, and its slug is not known."""
    set_status(engine, state=state)
    faqs = (await client.get("/v1/faqs")).json()["data"]
    expected = [slug for slug, _, _ in FAQS if state in SHOWN_IN.get(slug, {state})]
    assert [faq["slug"] for faq in faqs] == expected
    for slug, states in SHOWN_IN.items():
        answer = await client.get(f"/v1/faqs/{slug}")
        if state in states:
            assert answer.json()["answer"]["text"] == UNKNOWN
        else:
            assert answer.status_code == 404


@pytest.mark.parametrize(
    ("state", "mode", "beginning"),
    [
        ("open", "open", "Yes. "),
        ("open", "waitlist", "Yes, onto the waiting list. "),
        ("temporarily_closed", "waitlist", "Yes, onto the waiting list. "),
        ("open", "paused", "Not now. "),
        ("temporarily_closed", "paused", "Not now. "),
        ("permanently_closed", "closed", "No, not any longer. "),
    ],
)
async def test_whether_a_consultation_can_be_requested(
    client: httpx.AsyncClient,
    engine: Engine,
    state: str,
    mode: str,
    beginning: str,
) -> None:
    """The answer is true for each way to take requests, and promises nothing."""
    set_status(engine, state=state, mode=mode)
    answer = await _answer(client, "can-i-request-a-consultation")
    assert answer.startswith(beginning)
    assert CALL in answer
    assert not re.search(r"\b(unless|form|again|soon)\b", answer)
    message = (await client.get("/v1/status")).json()["consultations"]["message"]
    assert (message is None) is (mode == "open")


async def test_the_open_clinic(client: httpx.AsyncClient, engine: Engine) -> None:
    """The texts of an open clinic are in the present tense and name no closure."""
    set_status(engine, state="open")
    assert (await _answer(client, "is-the-clinic-open")).startswith("Yes.")
    assert await _answer(client, "where-is-the-clinic") == "The clinic is in Portland, Oregon."
    offer = await _answer(client, "what-does-the-clinic-offer")
    body = await _body(client, "how-we-can-help")
    for text in (offer, body):
        assert f"The clinic offers {OFFER}." in text
        assert "to help treat various mood disorders and chronic pain." in text
    assert "The clinic is in Portland, Oregon." in body
    for slug in DEPEND_ON_STATUS:
        assert "closed" not in await _answer(client, slug)
    assert (await client.get("/v1/status")).json()["message"] == "The clinic is open."


async def test_the_temporarily_closed_clinic(client: httpx.AsyncClient, engine: Engine) -> None:
    """The texts say that the clinic is closed, and promise no reopening."""
    set_status(engine, state="temporarily_closed")
    texts = [await _answer(client, slug) for slug in DEPEND_ON_STATUS]
    texts.append(await _body(client, "how-we-can-help"))
    for text in texts:
        assert not re.search(r"reopen|soon|again|\d|permanent", text)
    # The other answer depends on how requests are taken.
    for text in (texts[0], *texts[2:]):
        assert "temporarily closed" in text
    for text in texts[3:]:
        assert f"When it is open, it offers {OFFER}." in text
    status = (await client.get("/v1/status")).json()
    assert status["message"].endswith(
        "says that the clinic offers something, it does not offer it now."
    )
