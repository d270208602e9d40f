"""The service as it really runs: `python main.py serve` in a process group of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.databases import url_of
from tests.support.waiting import PATIENCE, wait_for

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "main.py"
# The command, confirmed.
CLOSE_FOR_GOOD = ("status", "set", "permanently_closed", "--confirm", "permanently_closed")


def environment(folder: Path, **changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if "CLINIC_" not in name}
    return {
        **inherited,
        "CLINIC_DATABASE_URL": url_of(folder),
        "CLINIC_KEYRING_FILE": str(folder / "keyring.json"),
        "CLINIC_INTAKE_RATE": "",
        **changes,
    }


def unmeasured(environment: dict[str, str]) -> dict[str, str]:
    # What is killed leaves no coverage data, and measuring makes it half as fast.
    return {name: value for name, value in environment.items() if "COVERAGE" not in name}


def run(*arguments: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [sys.executable, str(MAIN), *arguments],
        env=environment(folder, **changes),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Service:
    process: subprocess.Popen[Any]
    port: int
    log: Path = Path(os.devnull)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, **options)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "the service stopped"
        try:
            with self.client() as client:
                return client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)


@contextmanager
def serving(
    folder: Path,
    *,
    workers: int = 1,
    log: Path = Path(os.devnull),
    measured: bool = False,
    changes: dict[str, str] | None = None,
) -> Iterator[Service]:
    port = free_port()
    variables = environment(folder, **(changes or {}))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(MAIN), "serve", "--port", str(port), "--workers", str(workers)],
            env=variables if measured else unmeasured(variables),
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        service = Service(process, port, log)
        try:
            wait_for(service.is_ready)
            yield service
        finally:
            if process.poll() is None:
                service.signal(signal.SIGKILL)
            process.wait(timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
