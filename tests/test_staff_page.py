"""The page for staff, in a real browser."""

import json
import os
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from data.database import open_database
from tests.conftest import set_status
from tests.databases import url_of
from tests.intake import JSON, PATH, body_of
from tests.process import serving
from tests.programs import CLIENTS, needed
from tests.staff import signed_in
from tests.waiting import PATIENCE

TYPED = {"name": "<img src=x onerror=\"document.title='owned'\"> O'Neill", "message": "One\ntwo"}


@pytest.mark.database("sqlite")
def test_a_day_at_the_desk(folder: Path) -> None:
    """Signing in, the inbox, one request with all that can be done to it, the clinic's status.

    Every view is free of faults that axe knows, at a desk and on a phone. `PICTURES` names a folder
    for pictures of them.
    """
    needed("node", "chromium", otherwise="the staff page is not tried in a browser")
    engine = open_database(url_of(folder))
    set_status(engine, state="open")
    token = signed_in(engine)["Authorization"].removeprefix("Bearer ")
    engine.dispose()
    with serving(folder) as service:
        bodies = [
            body_of(**TYPED, phone="(503) 227-1212", preferred_contact="phone"),
            body_of(website="https://spam.example", email="other@example.com"),
            body_of(email="third@example.com"),
        ]
        with service.client(headers=JSON) as client:
            sent = [client.post(PATH, content=body) for body in bodies]
        day = subprocess.run(
            ["node", "staff_page.mjs"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
            env={**os.environ, "SERVICE": service.url, "TOKEN": token,
                 "REQUESTS": json.dumps([answer.json()["id"] for answer in sent])},
        )  # fmt: skip
    assert day.returncode == 0, day.stderr


class _Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)


async def test_the_page_comes_from_here(client: httpx.AsyncClient) -> None:
    """Its policy lets nothing else in, and all that it asks for is there."""
    page = await client.get("/staff")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    sources = _Sources()
    sources.feed(page.text)
    assets = [source for source in sources.found if source.startswith("/")]
    assert len(assets) == 3
    for path in assets:
        assert (await client.get(path)).status_code == 200, path
    for name in ("index.html", "..%2Fdocs.html", "unknown.js"):
        assert (await client.get(f"/staff/{name}")).status_code == 404, name
