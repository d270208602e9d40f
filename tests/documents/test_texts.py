"""Sections and FAQs: lists, pages, filters, redirects and withdrawals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from models.document import PublicationType
from models.values import utc_now
from tests.support.documents import withdraw
from tests.support.intake import problem

PATHS = {"section": "/v1/sections", "faq": "/v1/faqs"}
kinds = pytest.mark.parametrize("kind", PATHS)


async def listed(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["meta"]["total"] >= len(document["data"])
    texts: list[dict[str, Any]] = document["data"]
    return texts


@kinds
async def test_a_text_is_the_same_alone_and_in_the_list(
    client: httpx.AsyncClient, kind: str
) -> None:
    """The list contains whole texts, in their order."""
    texts = await listed(client, PATHS[kind])
    assert [text["position"] for text in texts] == sorted(text["position"] for text in texts)
    for text in texts:
        assert (await client.get(f"{PATHS[kind]}/{text['slug']}")).json() == text


@pytest.mark.shared
@kinds
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_pages_follow_each_other(client: httpx.AsyncClient, kind: str, limit: int) -> None:
    """Cursor and `Link` lead through each text once; the last page has neither."""
    everything = await listed(client, PATHS[kind])
    paged: list[dict[str, Any]] = []
    path = f"{PATHS[kind]}?limit={limit}"
    while True:
        answer = await client.get(path)
        document = answer.json()
        paged += document["data"]
        assert document["meta"]["total"] == len(everything)
        cursor = document["meta"]["next_cursor"]
        if cursor is None:
            assert "next" not in answer.links
            break
        assert len(document["data"]) == limit
        path = answer.links["next"]["url"]
        assert path == f"{PATHS[kind]}?limit={limit}&cursor={cursor}"
    assert paged == everything


async def test_a_page_keeps_its_filter(client: httpx.AsyncClient) -> None:
    """The link to the next page has the same filter."""
    wanted = await listed(client, "/v1/faqs?answered=true")
    answer = await client.get("/v1/faqs?answered=true&limit=2")
    rest = await listed(client, answer.links["next"]["url"])
    assert answer.json()["data"] + rest == wanted[:4]


async def test_filters(client: httpx.AsyncClient) -> None:
    """`topic`, `section` and `answered` filter the FAQs, alone and together."""
    everything = await listed(client, "/v1/faqs")
    filters: dict[str, dict[str, Callable[[dict[str, Any]], bool]]] = {
        "answered": {
            "true": lambda faq: faq["answered"] is True,
            "false": lambda faq: faq["answered"] is False,
        },
        "topic": {
            topic: lambda faq, topic=topic: faq["topic"] == topic  # type: ignore[misc]
            for topic in {faq["topic"] for faq in everything}
        },
        "section": {
            section["slug"]: lambda faq, slug=section["slug"]: faq["section"] == slug  # type: ignore[misc]
            for section in await listed(client, "/v1/sections")
        },
    }
    for name, values in filters.items():
        for value, fits in values.items():
            found = await listed(client, f"/v1/faqs?{name}={value}")
            assert found == [faq for faq in everything if fits(faq)]
            answered = await listed(client, f"/v1/faqs?{name}={value}&limit=100")
            assert answered == found
    topic = everything[0]["topic"]
    both = await listed(client, f"/v1/faqs?topic={topic}&answered=true")
    assert both == [faq for faq in everything if faq["topic"] == topic and faq["answered"]]


async def test_a_section_lists_its_faqs(client: httpx.AsyncClient) -> None:
    """`faqs` of a section and `section` of an FAQ agree."""
    for section in await listed(client, "/v1/sections"):
        of_it = await listed(client, f"/v1/faqs?section={section['slug']}")
        assert section["faqs"] == [faq["slug"] for faq in of_it]


@kinds
async def test_an_unknown_slug_is_404(client: httpx.AsyncClient, kind: str) -> None:
    """An unknown or invalid slug is a 404 that does not repeat it."""
    for slug in ("unknown", "UPPER", "a_b", "a%20b", "%00", "é", "-", "a" * 81, "1' OR '1'='1",
                 "..%2f..%2fmain.py", "exercises%00"):  # fmt: skip
        answer = await client.get(f"{PATHS[kind]}/{slug}")
        problem(answer, 404, "not-found")
        assert slug == "-" or slug not in answer.text
    problem(await client.get(f"{PATHS[kind]}/"), 404, "not-found")


@kinds
async def test_a_former_slug_leads_to_the_present_one(
    client: httpx.AsyncClient, engine: Engine, kind: str
) -> None:
    """A former slug is a 308 to the current one, for GET and HEAD."""
    slug = (await listed(client, PATHS[kind]))[0]["slug"]
    withdraw(engine, kind, "former", how=PublicationType.MOVED, moved_to=slug)
    for method in ("GET", "HEAD"):
        answer = await client.request(method, f"{PATHS[kind]}/former")
        assert answer.status_code == 308
        assert answer.headers["Location"] == f"{PATHS[kind]}/{slug}"
        assert answer.content == b""
    followed = await client.get(f"{PATHS[kind]}/former", follow_redirects=True)
    assert followed.json()["slug"] == slug
    (other,) = set(PATHS) - {kind}
    problem(await client.get(f"{PATHS[other]}/former"), 404, "not-found")


@kinds
@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_withdrawn_text_is_gone(
    client: httpx.AsyncClient, engine: Engine, kind: str, is_gone: bool
) -> None:
    """A withdrawn text is 410, and in no list and no bundle; before its time it is served."""
    path = PATHS[kind]
    slug = (await listed(client, path))[1]["slug"]
    later = None if is_gone else utc_now() + timedelta(days=2)
    withdraw(engine, kind, slug, reason="It was out of date.", from_at=later)
    answer = await client.get(f"{path}/{slug}")
    if is_gone:
        document = problem(answer, 410, "gone")
        assert (document["reason"], document["recalled"]) == ("It was out of date.", False)
    else:
        assert answer.status_code == 200
    assert (slug in [text["slug"] for text in await listed(client, path)]) is not is_gone
    bundle = (await client.get("/v1/bundle")).json()
    assert (slug in [text["slug"] for text in bundle[f"{kind}s"]]) is not is_gone
    if kind == "faq":
        named = {slug for section in bundle["sections"] for slug in section["faqs"]}
        assert named <= {faq["slug"] for faq in bundle["faqs"]}
    else:
        sections = {section["slug"] for section in bundle["sections"]}
        assert {faq["section"] for faq in bundle["faqs"]} - {None} <= sections
