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
from tempfile import TemporaryFile
from typing import IO, Any

import httpx

from tests.support import fork_server
from tests.support.databases import url_of
from tests.support.waiting import PATIENCE, wait_for

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "main.py"
Process = subprocess.Popen[Any] | fork_server.ForkedProcess
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
    with started(*arguments, variables=environment(folder, **changes), folder=folder) as command:
        return command.finish()


@dataclass
class Command:
    """One command that runs."""

    process: Process
    output: IO[bytes]
    errors: IO[bytes]

    def finish(self) -> subprocess.CompletedProcess[str]:
        status = self.process.wait(timeout=PATIENCE)
        return subprocess.CompletedProcess((), status, text_of(self.output), text_of(self.errors))


@contextmanager
def started(
    *arguments: str,
    folder: Path,
    variables: dict[str, str] | None = None,
    typed_on: int | None = None,
) -> Iterator[Command]:
    """A command, which is killed at the end; `typed_on` is the terminal that it reads from."""
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start(
            *arguments,
            variables=unmeasured(variables or environment(folder)),
            folder=folder,
            typed_on=typed_on,
            output=output,
            errors=errors,
        )
        try:
            yield Command(process, output, errors)
        finally:
            process.kill()
            process.wait(timeout=PATIENCE)


def start(
    *arguments: str,
    variables: dict[str, str],
    folder: Path,
    output: IO[bytes],
    errors: IO[bytes],
    typed_on: int | None = None,
    own_interpreter: bool = False,
) -> Process:
    """Starts `python main.py ARGUMENTS` in a process group of its own.

    It is forked from a process that has imported everything, unless it shall have an interpreter
    of its own, or is measured for coverage.
    """
    if not own_interpreter and not any("COVERAGE" in name for name in os.environ):
        with open(os.devnull) as nothing:
            typed = nothing.fileno() if typed_on is None else typed_on
            files = (typed, output.fileno(), errors.fileno())
            return fork_server.start(arguments, environment=variables, folder=folder, files=files)
    return subprocess.Popen(
        [sys.executable, str(MAIN), *arguments],
        env=variables,
        cwd=folder,
        stdin=subprocess.DEVNULL if typed_on is None else typed_on,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


def text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@dataclass
class Service:
    process: Process
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
    own_interpreter: bool = False,
    changes: dict[str, str] | None = None,
) -> Iterator[Service]:
    port = free_port()
    variables = environment(folder, **(changes or {}))
    with log.open("wb") as output:
        process = start(
            *("serve", "--port", str(port), "--workers", str(workers)),
            variables=variables if measured else unmeasured(variables),
            folder=folder,
            output=output,
            errors=output,
            own_interpreter=own_interpreter,
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


def request_named(name: str) -> dict[str, object]:
    return {
        "name": name,
        "email": "someone@example.com",
        "topic": "other",
        "consent_to_contact": True,
        "form_version": 1,
    }
