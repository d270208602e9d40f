"""Every list that comes in pages, and the one kind of cursor that leads through them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.http.cursors import encode_text
from tests.support.apps import client_of, set_status
from tests.support.document import operations
from tests.support.intake import post, problem
from tests.support.staff import STAFF, signed_in

LISTS = sorted(
    path
    for method, path, operation in operations()
    if method == "get" and any(p["name"] == "cursor" for p in operation.get("parameters", []))
)
# What their cursors hold, where it is not an instant and an id.
NUMBERED = ["/v1/faqs", "/v1/sections", f"{STAFF}/audit-events"]
# Well formed, and of no list: ids first, too many values, an instant alone, an id that is none.
OF_NO_LIST = [
    "=abc", "=abc 17", "17 17", "17 =abc", "17 17 17", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00+00:00 2026-01-01T00:00:00+00:00",
]  # fmt: skip
BROKEN = [
    "", " ", "17 ", " 17", "017", "-1", str(2**31), "=", "=ABC", "=" + "a" * 37,
    "2026-01-01T00:00:00 =abc", "2026-01-01T00:00:00Z =abc", "1899-12-31T23:59:59+00:00 =abc",
]  # fmt: skip


@pytest.fixture
async def staff(app: FastAPI, engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may do everything, where each list has a few items."""
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
        yield client


async def page(client: httpx.AsyncClient, path: str, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{path}{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def key_of(item: dict[str, Any]) -> str:
    return str(item.get("id") or item.get("slug") or item)


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_in_pages_is_the_whole_list(staff: httpx.AsyncClient, path: str) -> None:
    """Two items at a time: the same items in the same order, and the same total on each page."""
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
async def test_an_item_that_comes_meanwhile_repeats_no_other(
    staff: httpx.AsyncClient, engine: Engine
) -> None:
    """The next page begins after the last item that was seen, not after a number of items."""
    path = f"{STAFF}/tokens"
    first = await page(staff, path, "?limit=2")
    signed_in(engine)
    second = await page(staff, path, f"?limit=2&cursor={first['meta']['next_cursor']}")
    assert not {t["id"] for t in first["data"]} & {t["id"] for t in second["data"]}


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_of_another_list_is_400(staff: httpx.AsyncClient, path: str) -> None:
    """So is one that was never given, whatever the list is ordered by."""
    other = "2026-01-01T00:00:00+00:00 =abc" if path in NUMBERED else "17"
    if "status" in path:
        other = "2026-01-01T00:00:00+00:00 =abc"
    for text in [other, *OF_NO_LIST, *BROKEN]:
        answer = await staff.get(f"{path}?cursor={encode_text(text)}")
        [error] = problem(answer, 400, "invalid-query")["errors"]
        assert (error["parameter"], error["code"]) == ("cursor", "cursor.invalid"), text
