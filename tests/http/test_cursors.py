"""All lists with pages, and their cursors."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.http.cursors import encode_text
from tests.support.apps import client_of, set_status
from tests.support.document import operations
from tests.support.documents import publish
from tests.support.intake import post, problem
from tests.support.staff import STAFF, signed_in

LISTS = sorted(
    path.replace("{kind}/{slug}/{locale}", "section/exercises/en-US")
    for method, path, operation in operations()
    if method == "get" and any(p["name"] == "cursor" for p in operation.get("parameters", []))
)
ONE_DOCUMENT = f"{STAFF}/documents/section/exercises/en-US"
# Lists with a number in the cursor; the others have a time and an id.
NUMBERED = [
    "/v1/faqs", "/v1/sections", f"{STAFF}/audit-events", f"{ONE_DOCUMENT}/revisions",
    f"{ONE_DOCUMENT}/publications",
]  # fmt: skip
# Well formed, but of no list: an id first, too many values, a time alone, a time as an id.
OF_NO_LIST = [
    "=abc", "=abc 17", "17 17", "17 17 17", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00+00:00 2026-01-01T00:00:00+00:00",
]  # fmt: skip
BROKEN = [
    "", " ", "17 ", " 17", "017", "-1", str(2**31), "=", "=ABC", "=" + "a" * 37,
    "2026-01-01T00:00:00 =abc", "2026-01-01T00:00:00Z =abc", "1899-12-31T23:59:59+00:00 =abc",
]  # fmt: skip


@pytest.fixture
async def staff(app: FastAPI, engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    """A client with all scopes; each list has a few items."""
    for state in ("open", "temporarily_closed", "open"):
        set_status(engine, state=state)
    async with client_of(app) as client:
        client.headers.update(signed_in(engine))
        for number in range(3):
            signed_in(engine)
            hook = {"url": f"https://{number}.example", "events": ["request.received"]}
            made = await client.post(f"{STAFF}/webhooks", json=hook)
            assert made.status_code == 201, made.text
            await post(client)
            publish(engine, "section", "exercises", title=f"Title {number}")
        yield client


async def page(client: httpx.AsyncClient, path: str, query: str = "") -> dict[str, Any]:
    """One page of a list."""
    answer = await client.get(f"{path}{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def key_of(item: dict[str, Any]) -> str:
    """The id or the slug of an item."""
    return str(item.get("id") or item.get("slug") or item)


@pytest.mark.parametrize("path", LISTS)
async def test_pages_contain_the_whole_list(staff: httpx.AsyncClient, path: str) -> None:
    """Pages of two have all items in the same order, with the same total."""
    whole = await page(staff, path)
    assert len(whole["data"]) > 2
    seen: list[str] = []
    query = "?limit=2"
    while query:
        found = await page(staff, path, query)
        assert found["meta"]["total"] == len(whole["data"])
        seen += [key_of(item) for item in found["data"]]
        cursor = found["meta"]["next_cursor"]
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert seen == [key_of(item) for item in whole["data"]]


@pytest.mark.database("sqlite")
async def test_a_new_item_between_two_pages(staff: httpx.AsyncClient, engine: Engine) -> None:
    """An item created between two pages does not repeat another one."""
    path = f"{STAFF}/tokens"
    first = await page(staff, path, "?limit=2")
    signed_in(engine)
    second = await page(staff, path, f"?limit=2&cursor={first['meta']['next_cursor']}")
    assert not {t["id"] for t in first["data"]} & {t["id"] for t in second["data"]}


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", LISTS)
async def test_an_invalid_cursor_is_400(staff: httpx.AsyncClient, path: str) -> None:
    """A cursor of another list, and one that was never issued, are answered with 400."""
    other = "2026-01-01T00:00:00+00:00 =abc" if path in NUMBERED else "17"
    if "status" in path:
        other = "2026-01-01T00:00:00+00:00 =abc"
    for text in [other, *OF_NO_LIST, *BROKEN]:
        answer = await staff.get(f"{path}?cursor={encode_text(text)}")
        [error] = problem(answer, 400, "invalid-query")["errors"]
        assert (error["parameter"], error["code"]) == ("cursor", "cursor.invalid"), text
