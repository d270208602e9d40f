"""The commands in the README print what it shows, and no guide closes the clinic."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import fork_server
from tests.support.fork_server import address
from tests.support.process import ROOT, environment, serving
from tests.support.programs import needed
from tests.support.waiting import PATIENCE

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_VARIABLE = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "AN-INSTANT"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "AN-ID"),
    (r"clinic_[0-9a-f]{12}_[\w-]{43}", "A-TOKEN"),
    (r'"receipt_token": "[\w-]{43}"', "A-TOKEN"),
]


def tour() -> list[tuple[str, str]]:
    """Each command of the README's tour, with the output shown below it."""
    steps: list[tuple[str, str]] = []
    for block in _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            steps.append((command, output))
    return steps


def play(folder: Path) -> list[str]:
    """Runs the tour in one shell; returns the output of each command."""
    with serving(folder) as service:
        script = "\n".join(f"{command}\necho; echo ----" for command, _ in tour())
        script = script.replace("http://127.0.0.1:8000", service.url)
        script = script.replace(
            ".venv/bin/python main.py", f"{sys.executable} {fork_server.__file__} {address()}"
        )
        played = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=True,
        )
    return [output.removesuffix("\n") for output in played.stdout.split("\n----\n")][:-1]


def with_fixed_values(text: str) -> str:
    """Replaces the values that differ on each run."""
    for pattern, name in _VARIABLE:
        text = re.sub(pattern, name, text)
    return text.strip()


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_the_tour_prints_what_it_shows(folder: Path) -> None:
    """Each command of the README's tour prints the output that the README shows."""
    needed("curl", otherwise="the README's tour is not played")
    for (command, shown), printed in zip(tour(), play(folder), strict=True):
        assert with_fixed_values(printed) == with_fixed_values(shown), command


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
