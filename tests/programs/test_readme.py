"""The commands in the README print what it shows, and no guide closes the clinic."""

import re
from pathlib import Path

import pytest

from tests.support.process import ROOT, serving
from tests.support.programs import needed
from tests.support.tours import assert_printed, play, steps_of


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_the_tour_prints_what_it_shows(folder: Path) -> None:
    """Each command of the README's tour prints the output that the README shows."""
    needed("curl", otherwise="the README's tour is not played")
    tour = steps_of((ROOT / "README.md").read_text(encoding="utf-8"))
    with serving(folder) as service:
        assert_printed(tour, play(tour, folder, url=service.url))


_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_no_guide_closes_the_clinic() -> None:
    """No command that can be pasted from a guide closes the clinic permanently."""
    commands = [
        line
        for guide in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        if "node_modules" not in guide.parts
        for block in _FENCED.findall(guide.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if "status set permanently_closed" in line or '"confirm": "permanently_closed"' in line
    ]
    assert commands == ["clinic status set permanently_closed --dry-run"]
