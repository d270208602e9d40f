"""Rate limits that several processes share in a real Redis."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.apps import client_of, running, set_status
from tests.support.intake import post, problem
from tests.support.process import free_port
from tests.support.programs import needed
from tests.support.waiting import wait_for


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Runs Redis on a free port without persistence; yields its URL and its process."""
    needed("redis-server", otherwise="rates are not counted across processes")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)

    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        wait_for(listens)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


@pytest.mark.database("sqlite")
async def test_two_workers_count_together(folder: Path, tmp_path: Path) -> None:
    """Two processes with one Redis count the requests of an address together."""
    with redis_server(tmp_path) as (storage, _):
        rate = {"intake_rate": "3 per hour", "rate_storage": storage}
        async with running(folder, **rate) as one, running(folder, **rate) as two:
            set_status(one.state.runtime.engine, state="open")
            async with client_of(one) as first, client_of(two) as second:
                for client in (first, second, first):
                    assert (await post(client)).status_code == 201
                for client in (first, second):
                    problem(await post(client), 429, "too-many-requests")
            async with client_of(two, "192.0.2.9") as other:
                answer = await post(other)
                assert answer.headers["RateLimit"].startswith('"intake";r=2;')


@pytest.mark.database("sqlite")
async def test_rate_limits_without_redis(folder: Path, tmp_path: Path) -> None:
    """Without Redis each process counts for itself; no request waits long or gets a 500."""
    with redis_server(tmp_path) as (storage, process):
        rate = {"intake_rate": "2 per hour", "rate_storage": storage}
        async with running(folder, **rate) as app, client_of(app) as client:
            set_status(app.state.runtime.engine, state="open")
            assert (await post(client)).status_code == 201
            process.kill()
            process.wait()
            begun = time.monotonic()
            assert [(await post(client)).status_code for _ in range(3)] == [201, 201, 429]
            assert time.monotonic() - begun < 20
