"""The sandbox: the same clinic in every state, for whoever builds a frontend."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.intake import JSON, PATH, body_of
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


@pytest.mark.database("sqlite")
def test_four_clinics_side_by_side(folder: Path) -> None:
    """Each answers as its state says, however often; one signal ends all of them."""
    with demonstrating(folder, first_of_four()) as (process, told):
        assert list(told) == list(EXPECTED)
        for name, url in told.items():
            status, state, mode = EXPECTED[name]
            with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                answer = client.get("/v1/status").json()
                assert (answer["state"], answer["consultations"]["mode"]) == (state, mode)
                assert client.get(f"{PATH}/form").json()["accepting"] is (status == 201)
                for _ in range(2):
                    sent = client.post(PATH, content=body_of(), headers=JSON)
                    assert sent.status_code == status, name
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
        for url in told.values():
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}/v1/status")


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/status", timeout=PATIENCE).is_success
    except httpx.TransportError:
        return False
