"""The example site, from another origin, in a real browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.process import ROOT, leave_out
from tests.test_demo import demonstrating, first_of_four
from tests.waiting import PATIENCE

CLIENTS = ROOT / "tests" / "clients"
SITE = ROOT / "docs" / "examples" / "site"


@pytest.mark.database("sqlite")
def test_a_patients_visits(folder: Path) -> None:
    """Texts, request, receipt and withdrawal: open, waiting list, paused, closed, service away.

    Every view is free of faults that axe knows, at a desk and on a phone. `PICTURES` names a folder
    for pictures of them.
    """
    chromium = shutil.which("chromium")
    installed = CLIENTS / "node_modules" / "playwright-core", SITE / "node_modules" / "jedison"
    if chromium is None or not all(library.exists() for library in installed):
        leave_out("Node.js or Chromium is not installed: the example site is not visited")
    with demonstrating(folder, first_of_four()) as (_, services):
        visited = subprocess.run(
            ["node", "site.mjs"],
            cwd=CLIENTS, capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
            env={**os.environ, "SERVICES": json.dumps(services), "CHROMIUM": chromium},
        )  # fmt: skip
    assert visited.returncode == 0, visited.stderr
