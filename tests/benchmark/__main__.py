"""`make benchmark`: reads, side by side in one run, each server on one core and wrk on another."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from api.server import prepare
from data.crypto import write_keyring
from tests.conftest import settings_in
from tests.process import MAIN, ROOT, environment, free_port

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCHMARK_SECONDS", "3"))
CONNECTIONS = 32
SECTION, LIST, BUNDLE = "/v1/sections/what-is-ketamine", "/v1/faqs", "/v1/bundle"


@dataclass
class Case:
    name: str
    server: str
    path: str
    headers: Sequence[str] = ()
    against: str | None = None
    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


@contextmanager
def running(command: list[str], folder: Path, ready: str) -> Iterator[tuple[str, int, float]]:
    """A server on the first core: its address, its process, and the seconds to its first 200."""
    port = free_port()
    begun = time.monotonic()
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command, "--port", str(port)],
        env={**environment(folder, CLINIC_LOG_LEVEL="warning"), "BENCHMARK_FOLDER": str(folder)},
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
        yield url, process.pid, time.monotonic() - begun
    finally:
        process.terminate()
        process.wait(timeout=15)


def measure(case: Case, url: str) -> None:
    headers = [argument for header in case.headers for argument in ("-H", header)]
    ran = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency",
         *headers, f"{url}{case.path}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Non-2xx" not in ran or "If-None-Match" in str(case.headers), ran
    case.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", ran)[1]))  # type: ignore[index]
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", ran).groups()  # type: ignore[union-attr]
    case.p99.append(float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit])


def main() -> None:
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        raise SystemExit("wrk and taskset are needed: apt-get install wrk util-linux")
    folder = Path(tempfile.mkdtemp())
    write_keyring(folder / "keyring.json", generated=True)
    prepare(settings_in(folder))
    service = [sys.executable, str(MAIN), "serve"]
    uvicorn = [
        *(sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "warning"),
        *("--no-server-header", "--no-proxy-headers"),
    ]
    with running(service, folder, SECTION) as (url, _, cold_start):
        tag = httpx.get(f"{url}{SECTION}", headers={"Accept-Encoding": "identity"}).headers["ETag"]
        for name, path in {"section": SECTION, "list": LIST, "bundle": BUNDLE}.items():
            for _ in range(2):
                answer = httpx.get(f"{url}{path}", headers={"Accept-Encoding": "identity"})
            sent = [header for header in answer.headers.multi_items() if header[0] != "date"]
            (folder / f"{name}.body").write_bytes(answer.content)
            (folder / f"{name}.headers").write_text(json.dumps(sent))
    with ExitStack() as stack:
        servers = {
            "service": stack.enter_context(running(service, folder, SECTION)),
            "bare": stack.enter_context(
                running([*uvicorn, "tests.benchmark.servers:bare"], folder, "/section")
            ),
            "tutorial": stack.enter_context(
                running([*uvicorn, "tests.benchmark.servers:tutorial"], folder, "/sections/")
            ),
        }
        cases = [
            Case("bare uvicorn, section", "bare", "/section"),
            Case("bare uvicorn, list", "bare", "/list"),
            Case("bare uvicorn, bundle", "bare", "/bundle"),
            Case("warm section", "service", SECTION, against="bare uvicorn, section"),
            Case("warm section, gzip", "service", SECTION, ["Accept-Encoding: gzip"],
                 against="bare uvicorn, section"),
            Case("304", "service", SECTION, [f"If-None-Match: {tag}"],
                 against="bare uvicorn, section"),
            Case("warm list", "service", LIST, against="bare uvicorn, list"),
            Case("warm bundle", "service", BUNDLE, against="bare uvicorn, bundle"),
            Case("cold section (the route itself)", "service", f"{SECTION}?&",
                 against="bare uvicorn, section"),
            Case("idiomatic FastAPI + SQLModel, section", "tutorial",
                 "/sections/what-is-ketamine", against="bare uvicorn, section"),
        ]  # fmt: skip
        for _ in range(ROUNDS):
            for case in cases:
                measure(case, servers[case.server][0])
        status = Path(f"/proc/{servers['service'][1]}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]
    shutil.rmtree(folder)
    report(cases, cold_start, resident)


def report(cases: list[Case], cold_start: float, resident: int) -> None:
    by_name = {case.name: case for case in cases}
    lines = ["| read | requests/s | of bare uvicorn | p99 ms |", "| --- | ---: | ---: | ---: |"]
    for case in cases:
        ratio = "1"
        if case.against:
            pairs = zip(case.rates, by_name[case.against].rates, strict=True)
            ratio = f"{statistics.median(mine / bare for mine, bare in pairs):.3f}"
        rate, p99 = statistics.median(case.rates), statistics.median(case.p99)
        lines.append(f"| {case.name} | {rate:,.0f} | {ratio} | {p99:.2f} |")
    warm, tutorial = by_name["warm section"], cases[-1]
    times = statistics.median(a / b for a, b in zip(warm.rates, tutorial.rates, strict=True))
    lines += [
        "",
        f"A warm section is {times:.0f} times as fast as the idiomatic route.",
        f"{ROUNDS} interleaved rounds of {SECONDS} s, {CONNECTIONS} connections; medians.",
        f"From the start of the process to the first 200: {cold_start:.2f} s.",
        f"Memory of the service after all of it: {resident / 1e6:.0f} MB.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
