"""The scripts of the guides print what the guides show."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.demo import first_port, running_demo
from tests.support.process import ROOT
from tests.support.programs import needed
from tests.support.waiting import PATIENCE

GUIDES = ROOT / "docs" / "guides"
_SCRIPT = re.compile(r"^```js\n(.*?)^```\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIRST_PORT = 8001


def scripts() -> list[tuple[str, str]]:
    """Each script of each guide, with the output that the guide shows."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(GUIDES.glob("*.md"))]
    assert sum(text.count("```js") for text in texts) == sum(
        len(_SCRIPT.findall(text)) for text in texts
    )
    return [found for text in texts for found in _SCRIPT.findall(text)]


@pytest.mark.shipped
@pytest.mark.database("sqlite")
def test_scripts_print_what_the_guides_show(folder: Path) -> None:
    """Each script prints its output when it runs with the five demo clinics."""
    needed("node", otherwise="the guides' scripts are not run")
    assert len(scripts()) >= 4
    first = first_port()
    with running_demo(folder, first):
        for script, shown in scripts():
            moved = re.sub(r"\b800[1-5]\b", lambda m: str(int(m[0]) - FIRST_PORT + first), script)
            ran = subprocess.run(
                ["node", "--input-type=module", "-e", moved],
                capture_output=True, text=True, timeout=PATIENCE, check=False,
            )  # fmt: skip
            assert (ran.stdout, ran.stderr) == (shown, ""), script
