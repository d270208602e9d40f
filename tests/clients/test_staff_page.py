"""The staff page in a real browser."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.intake import JSON, PATH, body_of
from tests.support.process import ROOT, serving
from tests.support.programs import CLIENTS, needed
from tests.support.staff import signed_in
from tests.support.waiting import PATIENCE

TYPED = {"name": "<img src=x onerror=\"document.title='owned'\"> O'Neill", "message": "One\ntwo"}


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_the_staff_page_in_a_browser(folder: Path) -> None:
    """Staff signs in, reads the inbox, changes a request, and changes the clinic's status.

    axe finds no fault in any view, on a desktop and on a phone. If `PICTURES` names a folder, a
    picture of each view is stored there.
    """
    needed("node", "chromium", otherwise="the staff page is not tried in a browser")
    engine = open_with_audit(folder)
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
        done = subprocess.run(
            ["node", "staff_page.mjs"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
            env={**os.environ, "SERVICE": service.url, "TOKEN": token,
                 "REQUESTS": json.dumps([answer.json()["id"] for answer in sent])},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr


ZONES = (
    "America/Los_Angeles", "Europe/Berlin", "America/Santiago", "America/Havana",
    "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Kiritimati",
)  # fmt: skip
_READ_WALL_TIMES = """
import { readFileSync } from "node:fs";
import { instantOf } from "./zone.mjs";
const asked = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(asked.map(([zone, wall]) => instantOf(wall, zone))));
"""


def walls_around_changes(name: str) -> Iterator[str]:
    """The first of each month, and each half-hour of the days with a change of the clocks."""
    midnight = datetime(2026, 1, 1, tzinfo=ZoneInfo(name))
    for day in (midnight + timedelta(days=number) for number in range(365)):
        if day.day == 1:
            yield f"{day:%Y-%m-%dT%H:%M}"
        if day.utcoffset() != (day + timedelta(days=1)).utcoffset():
            for number in range(96):
                yield f"{day + timedelta(minutes=30 * number):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("device", ["America/Los_Angeles", "Asia/Tokyo"])
def test_times_are_in_the_clinics_zone(tmp_path: Path, device: str) -> None:
    """The page reads a time in the clinic's zone, whatever the zone of the device is.

    The result is compared with Python's: of an ambiguous time it takes the first, and for a skipped
    time the offset from before the change.
    """
    needed("node", otherwise="the staff page's wall times are not compared")
    shutil.copy(ROOT / "api" / "pages" / "assets" / "staff" / "zone.js", tmp_path / "zone.mjs")
    asked = [(zone, wall) for zone in ZONES for wall in walls_around_changes(zone)]
    asked += [("America/Los_Angeles", f"2031-{day}:30") for day in ("03-09T02", "11-02T01")]
    read = subprocess.run(
        ["node", "--input-type=module", "-e", _READ_WALL_TIMES],
        cwd=tmp_path, input=json.dumps(asked), env={**os.environ, "TZ": device},
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    answers = json.loads(read.stdout)
    for (zone, wall), answer in zip(asked, answers, strict=True):
        expected = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))
        assert datetime.fromisoformat(answer["instant"]) == expected.astimezone(UTC), (zone, wall)
    assert [answer["times"] for answer in answers[-2:]] == [0, 2]


class _Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)


async def test_the_page_needs_no_other_host(client: httpx.AsyncClient) -> None:
    """The policy of the page allows no other host, and all its files are served."""
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
