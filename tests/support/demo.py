"""Runs `python main.py demo`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from tests.support.process import MAIN, environment, free_port, without_coverage
from tests.support.waiting import PATIENCE, wait_for

# For each clinic: the HTTP status of a consultation request, the state, and the intake mode.
EXPECTED = {
    "open": (201, "open", "open"),
    "waitlist": (201, "open", "waitlist"),
    "paused": (409, "open", "paused"),
    "temporarily_closed": (409, "temporarily_closed", "paused"),
    "permanently_closed": (410, "permanently_closed", "closed"),
}


def first_port() -> int:
    """A free port; the next ports are probably free too."""
    return free_port() if (port := free_port()) > 65_000 else port


@contextmanager
def running_demo(
    folder: Path, first: int, **changes: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Runs `demo` until all clinics answer; yields the process and the addresses by name.

    `changes` are environment variables.
    """
    variables = without_coverage(environment(folder, CLINIC_INTAKE_RATE="1 per hour", **changes))
    process = subprocess.Popen(
        [sys.executable, str(MAIN), "demo", "--first-port", str(first), "--folder", "demo"],
        env=variables, cwd=folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        addresses = dict(process.stdout.readline().split() for _ in EXPECTED)
        for url in addresses.values():
            wait_for(partial(answers, url))
        yield process, addresses
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/status", timeout=PATIENCE).is_success
    except httpx.TransportError:
        return False
