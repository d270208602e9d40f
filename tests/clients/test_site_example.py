"""The example site, from another origin, in a real browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from data.documents.files import SHIPPED_CONTENT
from tests.support.demo import demonstrating, first_of_four
from tests.support.process import run, serving
from tests.support.programs import CLIENTS, needed
from tests.support.waiting import PATIENCE

ANNOUNCED = {
    "clinic.yaml": {
        "name": "Riverside Clinic",
        "contact": {
            "phone": "+1 503 555 0100",
            "email": "desk@clinic.example",
            "website": "https://clinic.example/",
            "address": "1 River Street",
        },
        "opening_hours": [{"day": "monday", "opens": "09:00", "closes": "17:30"}],
    },
    "status.yaml": {
        "alternatives": [
            {"name": "Hilltop Clinic", "url": "https://hilltop.example/", "note": "Same treatment."}
        ],
        "safety_resources": [{"name": "Crisis line", "contact": "988", "note": "Day and night."}],
        "closure": {
            "records_contact": "records@clinic.example",
            "records_url": "https://clinic.example/records",
            "note": "Records are kept for ten years.",
        },
    },
}


def announce(folder: Path) -> None:
    """A clinic of which all is known, open now and closed for a while from next spring."""
    content = Path(shutil.copytree(SHIPPED_CONTENT, folder / "content"))
    for name, changes in ANNOUNCED.items():
        file = content / name
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text("utf-8")), **changes}))
    for command in (
        ("load", str(content)),
        ("status", "set", "open"),
        ("status", "set", "temporarily_closed", "--effective-from", "2031-04-01T09:00:00Z",
         "--reopens-on", "2031-05-01"),
    ):  # fmt: skip
        done = run(*command, folder=folder)
        assert done.returncode == 0, done.stderr


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_a_patients_visits(folder: Path) -> None:
    """Texts, request, receipt and withdrawal: open, waiting list, paused, closed, service away.

    Every view is free of faults that axe knows, at a desk and on a phone. `PICTURES` names a folder
    for pictures of them.
    """
    needed("node", "chromium", otherwise="the example site is not visited")
    announce(folder)
    with (
        demonstrating(folder, first_of_four()) as (_, demonstrated),
        serving(folder) as announcing,
    ):
        services = {**demonstrated, "announcing": announcing.url}
        visited = subprocess.run(
            ["node", "site.mjs"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
            env={**os.environ, "SERVICES": json.dumps(services)},
        )  # fmt: skip
    assert visited.returncode == 0, visited.stderr
