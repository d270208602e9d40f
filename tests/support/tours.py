"""Plays the commands of a document in a shell, with a running service."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.support import fork_server
from tests.support.fork_server import address
from tests.support.process import environment
from tests.support.waiting import PATIENCE

# A command, with the output that the document shows below it.
Step = tuple[str, str]

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_VARIABLE = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "AN-INSTANT"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "AN-ID"),
    (r"clinic_[0-9a-f]{12}_[\w-]{43}", "A-TOKEN"),
    (r'"receipt_token": "[\w-]{43}"', "A-TOKEN"),
]
# The address in the documents.
SHOWN_URL = "http://127.0.0.1:8000"
_MAIN = ".venv/bin/python main.py"


def steps_of(document: str) -> list[Step]:
    """Each command in the `console` blocks of a document; it begins behind `$ `."""
    steps: list[Step] = []
    for block in _BLOCK.findall(document):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            steps.append((command, output))
    return steps


def play(
    steps: Sequence[Step],
    folder: Path,
    *,
    url: str = SHOWN_URL,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Runs the commands in one shell; returns the output of each. `url` replaces the shown one."""
    script = "\n".join(f"{command}\necho; echo ----" for command, _ in steps)
    script = script.replace(SHOWN_URL, url)
    script = script.replace(_MAIN, f"{sys.executable} {fork_server.__file__} {address()}")
    played = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=True,
    )
    shown = played.stdout.replace(url, SHOWN_URL)
    return [output.removesuffix("\n") for output in shown.split("\n----\n")][:-1]


def with_fixed_values(text: str) -> str:
    """Replaces the values that differ on each run."""
    for pattern, name in _VARIABLE:
        text = re.sub(pattern, name, text)
    return text.strip()


def assert_printed(steps: Sequence[Step], printed: Sequence[str]) -> None:
    """Asserts that each command printed what is shown below it."""
    for (command, shown), output in zip(steps, printed, strict=True):
        is_same = with_fixed_values(output) == with_fixed_values(shown)
        assert is_same, f"{command}\nprinted:\n{output}\nshown:\n{shown}"
