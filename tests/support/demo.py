"""A running `python main.py demo`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from tests.support.process import MAIN, environment, free_port, unmeasured
from tests.support.waiting import PATIENCE, wait_for

# What each answers to a request: status, and what the state is called.
EXPECTED = {
    "open": (201, "open", "open"),
    "waitlist": (201, "open", "waitlist"),
    "paused": (409, "temporarily_closed", "paused"),
    "closed": (410, "permanently_closed", "closed"),
}


def first_of_four() -> int:
    """A port whose three neighbours are free too, as far as can be told."""
    return free_port() if (port := free_port()) > 65_000 else port


@contextmanager
def demonstrating(
    folder: Path, first: int
) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`main.py demo`, once all of its clinics answer; their addresses by name."""
    variables = unmeasured(environment(folder, CLINIC_INTAKE_RATE="1 per hour"))
    process = subprocess.Popen(
        [sys.executable, str(MAIN), "demo", "--first-port", str(first), "--folder", "demo"],
        env=variables, cwd=folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = dict(process.stdout.readline().split() for _ in EXPECTED)
        for url in told.values():
            wait_for(partial(answers, url))
        yield process, told
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/status", timeout=PATIENCE).is_success
    except httpx.TransportError:
        return False
