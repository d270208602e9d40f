"""Hostile texts that staff saves and publishes: what is served contains no markup of theirs."""

import random

import httpx
import pytest
from sqlalchemy import Engine

from tests.hostile.test_hostile_content import ADDRESSES, LINKS, MARKUP, PAYLOADS, Disallowed
from tests.support.editing import SECTION, Desk, path_of
from tests.support.intake import problem
from tests.support.repetitions import repetitions

EXERCISES = path_of("section", "exercises")
PUBLIC = "/v1/sections/exercises"


@pytest.fixture
def desk(client: httpx.AsyncClient, engine: Engine) -> Desk:
    return Desk(client, engine)


async def serve(desk: Desk, text: str) -> str | None:
    """Saves and publishes a text; returns the HTML that is served, or `None` if it is refused."""
    body = {"kind": "section", "content": {**SECTION, "body": text}}
    saved = await desk.write("PUT", EXERCISES, body, of=EXERCISES)
    if saved.status_code == 422:
        return None
    assert saved.status_code == 200, saved.text
    number, tag = saved.json()["revision"], saved.headers["ETag"]
    published = await desk.publish(EXERCISES, number, tag=tag)
    if published.status_code == 422:
        assert {e["code"] for e in published.json()["errors"]} == {"revision.has_faults"}
        return None
    assert published.status_code == 201, published.text
    served: str = (await desk.client.get(PUBLIC)).json()["body"]["html"]
    assert served is not None
    return served


async def check(desk: Desk, texts: list[str]) -> int:
    """Saves and publishes texts; asserts that what is served is harmless. Returns how many are."""
    served = 0
    for text in texts:
        html = await serve(desk, text)
        if html is not None:
            served += 1
            assert Disallowed(html).found == [], text
    return served


# Rendering does not depend on the database.
@pytest.mark.database("sqlite")
async def test_payloads_are_refused_or_harmless(desk: Desk) -> None:
    """Each XSS payload is refused at its publication, or served without disallowed markup."""
    assert len(PAYLOADS) >= 100
    served = await check(desk, PAYLOADS[:: max(1, len(PAYLOADS) // 110)])
    assert 0 < served < len(PAYLOADS)


@pytest.mark.parametrize("times", repetitions(40, soak=10_000))
@pytest.mark.database("sqlite")
async def test_random_payloads_are_refused_or_harmless(desk: Desk, times: int) -> None:
    """So is each random combination of their parts."""
    chance = random.Random(1986)
    pieces = [*ADDRESSES, *MARKUP, *LINKS, *" \n\t<>[]()\"'`*_#&!\\:;=/é", "\n\n", "](", "&#"]
    texts = ["".join(chance.choices(pieces, k=chance.randint(2, 7))) for _ in range(times)]
    await check(desk, texts)


async def test_addresses_of_references_and_images(desk: Desk) -> None:
    """Only http and https addresses are saved as references and images."""
    for address in ADDRESSES:
        for field in (
            {"references": [{"label": "x", "url": address}]},
            {"image": {"url": address, "alt": "x"}},
        ):
            answer = await desk.save(EXERCISES, content={**SECTION, **field})
            problem(answer, 422, "invalid-request")


@pytest.mark.parametrize(
    "text", ["a\0b", "a\x07b", "a\x7fb", "a\u202eb", "a\u2066b", "a\u2028b", "x" * 60_001]
)
@pytest.mark.database("sqlite")
async def test_control_characters_are_refused(desk: Desk, text: str) -> None:
    """NUL, control and bidirectional characters and too long texts are a 422 in each free text."""
    fields: list[dict[str, object]] = [
        {"title": text},
        {"summary": text},
        {"body": text},
        {"body": None, "body_by_state": {"open": text, "temporarily_closed": "x",
                                         "permanently_closed": "x"}},
        {"references": [{"label": text}]},
        {"references": [{"label": "x", "url": f"https://x.example/{text}"}]},
        {"call_to_action": {"label": text}},
        {"image": {"url": "https://x.example/", "alt": text}},
        {"notices": [text]},
    ]  # fmt: skip
    for field in fields:
        answer = await desk.save(EXERCISES, content={**SECTION, **field})
        problem(answer, 422, "invalid-request")
    body = {"kind": "section", "content": SECTION, "note": text}
    problem(await desk.write("PUT", EXERCISES, body, of=EXERCISES), 422, "invalid-request")
    note = await desk.publish(EXERCISES, note=text)
    problem(note, 422, "invalid-request")
    problem(await desk.withdraw(EXERCISES, type="gone", reason=text), 422, "invalid-request")


async def test_texts_come_back_as_they_were_sent(desk: Desk) -> None:
    """Emoji, joiners, right-to-left text and combining marks come back unchanged."""
    texts = ["\U0001f469\u200d\u2695\ufe0f", "שלום", "e\u0301", "'; DROP TABLE document;--", "%_\\"]
    for text in texts:
        saved = await desk.save(EXERCISES, content={**SECTION, "title": text, "body": text})
        assert saved.json()["content"]["title"] == text
        await desk.publish(EXERCISES)
        public = (await desk.client.get(PUBLIC)).json()
        assert (public["title"], public["body"]["markdown"]) == (text, text)
        line = await desk.line(EXERCISES)
        assert line["title"] == text
