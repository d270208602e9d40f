"""Starts servers on the first core, runs wrk on the second, and reads its output."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.process import MAIN, ROOT, environment, free_port

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCHMARK_SECONDS", "3"))
CONNECTIONS = 32

SERVICE = [sys.executable, str(MAIN), "serve"]
UVICORN = [
    *(sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "warning"),
    *("--no-server-header", "--no-proxy-headers"),
]


def require_tools() -> None:
    """Exits with a message if wrk or taskset is not installed."""
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is needed: apt-get install wrk util-linux")


@dataclass(frozen=True)
class Server:
    """A running server, with the seconds until its first answer."""

    url: str
    process: int
    first_answer_after: float

    @property
    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024 / 1e6


@contextmanager
def running(
    command: list[str], folder: Path, ready: str, changes: dict[str, str] | None = None
) -> Iterator[Server]:
    """Runs a server on the first core; yields it once `ready` answers with a 200."""
    port = free_port()
    begun = time.monotonic()
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command, "--port", str(port)],
        env={
            **environment(folder, CLINIC_LOG_LEVEL="warning", **(changes or {})),
            "BENCHMARK_FOLDER": str(folder),
        },
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{url}{ready}").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.005)
        yield Server(url, process.pid, time.monotonic() - begun)
    finally:
        process.terminate()
        process.wait(timeout=15)


@dataclass
class Case:
    """One request that wrk sends in each round, and its measured rates."""

    name: str
    server: Server
    path: str
    against: "Case | None" = None
    headers: Sequence[str] = ()
    script: Path | None = None
    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    requests: int = 0

    def measure(self) -> None:
        more = [argument for header in self.headers for argument in ("-H", header)]
        if self.script:
            more += ["-s", str(self.script)]
        ran = subprocess.run(
            ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency",
             "--timeout", "30s",
             *more, f"{self.server.url}{self.path}"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "Non-2xx" not in ran or "If-None-Match" in str(self.headers), ran
        assert "Socket errors" not in ran, ran
        self.requests += int(re.findall(r"(\d+) requests in", ran)[0])
        self.rates.append(float(re.findall(r"Requests/sec:\s+([\d.]+)", ran)[0]))
        number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", ran)[0]
        self.p99.append(float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit])

    def ratio(self, other: "Case") -> float:
        """The median over the rounds of this case's rate divided by the other case's rate."""
        return statistics.median(a / b for a, b in zip(self.rates, other.rates, strict=True))


def table(cases: Sequence[Case], *, what: str, against: str) -> list[str]:
    """A Markdown table of the cases; each rate is also compared with the rate of its `against`."""
    lines = [f"| {what} | requests/s | of {against} | p99 ms |", "| --- | ---: | ---: | ---: |"]
    for case in cases:
        ratio = f"{case.ratio(case.against):.3f}" if case.against else "1"
        rate, p99 = statistics.median(case.rates), statistics.median(case.p99)
        lines.append(f"| {case.name} | {rate:,.0f} | {ratio} | {p99:.2f} |")
    return lines
