"""Runs the client generators and programs, and a service for them."""

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

# Java's second compiler costs more time than it saves in runs this short.
FAST_START = "-XX:TieredStopAtLevel=1"


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a tool that npm installed."""
    return subprocess.run(
        [str(TOOLS / tool), *arguments], cwd=CLIENTS, capture_output=True, text=True, check=False
    )


def use_service(
    folder: Path, command: list[str], where: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program beside a service with an open clinic.

    The environment has the address in SERVICE, and in TOKEN a staff token with all scopes.
    """
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    token = signed_in(engine)["Authorization"].removeprefix("Bearer ")
    engine.dispose()
    with serving(folder) as service:
        return subprocess.run(
            command, cwd=where, capture_output=True, text=True, check=False, timeout=5 * PATIENCE,
            env={**os.environ, "SERVICE": service.url, "TOKEN": token, **variables},
        )  # fmt: skip
