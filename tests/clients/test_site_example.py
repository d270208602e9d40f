"""The example site, on another origin, in a real browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from data.documents.files import SHIPPED_CONTENT
from tests.support.demo import first_port, running_demo
from tests.support.process import run, serving
from tests.support.programs import CLIENTS, needed
from tests.support.waiting import PATIENCE

ANNOUNCED = {
    "clinic.yaml": {
        "name": "Riverside Clinic",
        "contact": {
            "phone": "+1 503 555 0100",
            "email": "desk@example.com",
            "website": "https://riverside.example.com/",
            "address": "1 River Street",
        },
        "opening_hours": [{"day": "monday", "opens": "09:00", "closes": "17:30"}],
    },
    "status.yaml": {
        "alternatives": [
            {
                "name": "Hilltop Clinic",
                "url": "https://hilltop.example.com/",
                "note": "Same treatment.",
            }
        ],
        "safety_resources": [{"name": "Crisis line", "contact": "988", "note": "Day and night."}],
        "closure": {
            "records_contact": "records@example.com",
            "records_url": "https://riverside.example.com/records",
            "note": "Records are kept for ten years.",
        },
    },
}


def announce(folder: Path) -> None:
    """Loads a clinic with all fields; it is open, and a temporary closure is planned."""
    content = Path(shutil.copytree(SHIPPED_CONTENT, folder / "content"))
    for name, changes in ANNOUNCED.items():
        file = content / name
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text("utf-8")), **changes}))
    for command in (
        ("content", "push", str(content)),
        ("status", "set", "open"),
        ("status", "set", "temporarily_closed", "--effective-from", "2031-04-01T09:00:00Z",
         "--reopens-on", "2031-05-01"),
    ):  # fmt: skip
        done = run(*command, folder=folder)
        assert done.returncode == 0, done.stderr


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_the_site_in_a_browser(folder: Path) -> None:
    """A patient reads, sends and withdraws in each state of the clinic, and without the service.

    axe finds no fault in any view, on a desktop and on a phone. If `PICTURES` names a folder, a
    picture of each view is stored there.
    """
    needed("node", "chromium", otherwise="the example site is not visited")
    announce(folder)
    with (
        running_demo(folder, first_port()) as (_, addresses),
        serving(folder) as announcing,
    ):
        services = {**addresses, "announcing": announcing.url}
        visited = subprocess.run(
            ["node", "site.mjs"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
            env={**os.environ, "SERVICES": json.dumps(services)},
        )  # fmt: skip
    assert visited.returncode == 0, visited.stderr
