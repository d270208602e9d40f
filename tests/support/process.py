"""Runs `python main.py` as a process in its own process group."""

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
CLOSE_PERMANENTLY = ("status", "set", "permanently_closed", "--confirm", "permanently_closed")


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """Environment variables for the database and the keyring of a folder, without a rate limit."""
    inherited = {name: value for name, value in os.environ.items() if "CLINIC_" not in name}
    return {
        **inherited,
        "CLINIC_DATABASE_URL": url_of(folder),
        "CLINIC_KEYRING_FILE": str(folder / "keyring.json"),
        "CLINIC_INTAKE_RATE": "",
        **changes,
    }


def without_coverage(environment: dict[str, str]) -> dict[str, str]:
    """Removes the variables that make a process measure its coverage."""
    # A killed process writes no coverage data, and measuring doubles its run time.
    return {name: value for name, value in environment.items() if "COVERAGE" not in name}


def run(*arguments: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Runs one command until it ends."""
    with started(*arguments, variables=environment(folder, **changes), folder=folder) as command:
        return command.finish()


@dataclass
class Command:
    """A running command, and the files with its output."""

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
    stdin: int | None = None,
) -> Iterator[Command]:
    """Starts a command, and kills it at the end; `stdin` is the terminal that it reads from."""
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start(
            *arguments,
            variables=without_coverage(variables or environment(folder)),
            folder=folder,
            stdin=stdin,
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
    stdin: int | None = None,
    own_interpreter: bool = False,
) -> Process:
    """Starts `python main.py ARGUMENTS` in its own process group.

    It is forked from a process that has imported everything. With `own_interpreter`, or when
    coverage is measured, it gets a new interpreter.
    """
    if not own_interpreter and not any("COVERAGE" in name for name in os.environ):
        with open(os.devnull) as nothing:
            files = (nothing.fileno() if stdin is None else stdin, output.fileno(), errors.fileno())
            return fork_server.start(arguments, environment=variables, folder=folder, files=files)
    return subprocess.Popen(
        [sys.executable, str(MAIN), *arguments],
        env=variables,
        cwd=folder,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


def text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@dataclass
class Service:
    """A running service on a port of 127.0.0.1."""

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
        """Sends a signal to the service and its workers."""
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
    """Starts `serve` and waits until it is ready; at the end kills all its processes."""
    port = free_port()
    variables = environment(folder, **(changes or {}))
    with log.open("wb") as output:
        process = start(
            *("serve", "--port", str(port), "--workers", str(workers)),
            variables=variables if measured else without_coverage(variables),
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
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
