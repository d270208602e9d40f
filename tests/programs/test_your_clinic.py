"""The guide to a clinic of one's own: its edits and commands, played from the start to the end."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT, serving
from tests.support.programs import needed
from tests.support.tours import SHOWN_URL, Step, assert_printed, play, steps_of

GUIDE = ROOT / "docs" / "guides" / "your-clinic.md"
SERVE = ".venv/bin/python main.py serve"
_PART = re.compile(
    r"(?P<console>^```console\n.*?^```$)"
    r"|In `(?P<edited>[^`]+)`, replace `(?P<old>[^`]+)` by:\n\n```yaml\n(?P<new>.*?)^```$"
    r"|Write `(?P<written>[^`]+)`:\n\n```markdown\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
# The edit of a person: replaces the first occurrence of a text in a file, or makes a new file.
_EDITOR = """
import sys; from pathlib import Path
path, old, new = Path(sys.argv[1]), *sys.argv[2:]
text = path.read_text(encoding="utf-8") if old else ""
assert old in text, (path, old)
path.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
"""


def edit(file: str, old: str, new: str) -> Step:
    arguments = [sys.executable, "-c", _EDITOR, file, old, new]
    return " ".join(map(shlex.quote, arguments)), ""


def steps() -> list[Step]:
    """The commands and the edits of the guide, in their order."""
    guide = GUIDE.read_text(encoding="utf-8")
    found: list[Step] = []
    for part in _PART.finditer(guide):
        if part["console"]:
            found += steps_of(part["console"])
        elif part["edited"]:
            found.append(edit(part["edited"], part["old"], part["new"].removesuffix("\n")))
        else:
            found.append(edit(part["written"], "", part["text"]))
    # Each block of code was one of these three.
    assert guide.count("```") == 2 * len(list(_PART.finditer(guide)))
    return found


@pytest.mark.database("sqlite")
def test_the_guide_prints_what_it_shows(folder: Path) -> None:
    """Each command prints what the guide shows, after the guide's edits of the files."""
    needed("curl", otherwise="the guide is not played")
    commands = steps()
    start = [command for command, _ in commands].index(SERVE)
    before, (_, shown), after = commands[:start], commands[start], commands[start + 1 :]
    exported = ("env -0 > exported", "")
    assert_printed([*before, exported], play([*before, exported], folder))
    variables = exported_from(folder / "exported")
    log = folder / "log"
    with serving(folder, log=log, changes=variables) as service:
        started = log.read_text(encoding="utf-8").replace(service.url, SHOWN_URL)
        assert shown.strip() in started
        assert_printed(after, play(after, folder, url=service.url, variables=variables))


def exported_from(file: Path) -> dict[str, str]:
    """The settings that the commands exported."""
    lines = (line.partition("=") for line in file.read_text(encoding="utf-8").split("\0") if line)
    return {name: value for name, _, value in lines if name.startswith("CLINIC_")}
