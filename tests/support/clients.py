"""The tools of the clients, and a service for them."""

import os
import subprocess
from pathlib import Path

from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.process import serving
from tests.support.programs import CLIENTS, TOOLS
from tests.support.staff import signed_in
from tests.support.waiting import PATIENCE

PYTHON_TOOLS = CLIENTS / ".venv" / "bin"

GENERATOR = CLIENTS / "generator"


# These runs are too short for Java's second compiler to pay.
FAST_START = "-XX:TieredStopAtLevel=1"


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / tool), *arguments], cwd=CLIENTS, capture_output=True, text=True, check=False
    )


def use_service(
    folder: Path, command: list[str], where: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program beside a service whose clinic is open, with a token for its staff."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    token = signed_in(engine)["Authorization"].removeprefix("Bearer ")
    engine.dispose()
    with serving(folder) as service:
        return subprocess.run(
            command, cwd=where, capture_output=True, text=True, check=False, timeout=5 * PATIENCE,
            env={**os.environ, "SERVICE": service.url, "TOKEN": token, **variables},
        )  # fmt: skip
