"""A real cache in front of the service: the load that reaches it, and the age of its answers."""

import asyncio
import getpass
import grp
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.process import free_port, serving

pytestmark = [
    pytest.mark.soak,
    pytest.mark.database("sqlite"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]

REQUESTS = 20_000
CHANGES = 10
SECONDS_BETWEEN_CHANGES = 8
# Seconds: max-age, stale-while-revalidate, and one for the service to notice a change.
PROMISED = {
    "/v1/status": 10 + 10 + 1,
    "/v1/sections/exercises": 60 + 60 + 1,
    "/v1/faqs": 60 + 60 + 1,
}


@contextmanager
def cache_before(service: int, folder: Path) -> Iterator[str]:
    """Runs nginx as a cache in front of a service; yields its URL."""
    front = free_port()
    template = Path(__file__).with_name("nginx.conf").read_text()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        template.format(
            folder=folder,
            front=front,
            service=service,
            user=getpass.getuser(),
            group=grp.getgrgid(os.getgid()).gr_name,
        )
    )
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(folder / "nginx.log")])
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{front}/v1/status")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{front}"
    finally:
        process.terminate()
        process.wait(timeout=10)


class Watch:
    """Records when each message was published, and for each path the age of the oldest answer."""

    def __init__(self) -> None:
        self.since: dict[str, float] = {}
        self.messages: list[str] = []
        self.oldest: dict[str, float] = {}
        self.requests = 0

    def changed(self, message: str) -> None:
        self.messages.append(message)
        self.since[message] = time.monotonic()

    def seen(self, path: str, answer: httpx.Response, *, asked_at: float) -> None:
        assert answer.status_code == 200, answer.text
        self.requests += 1
        shown = [message for message in self.messages if message in answer.text]
        assert len(shown) == 1, "an answer contains two messages"
        later = self.messages[self.messages.index(shown[0]) + 1 :]
        if later:
            age = asked_at - self.since[later[0]]
            self.oldest[path] = max(self.oldest.get(path, 0), round(age, 1))


async def test_a_cache_in_front(folder: Path, tmp_path: Path) -> None:
    """Few of 20,000 reads reach the service, no answer is too old, and an outage is bridged."""
    engine = open_with_audit(folder)
    watch = Watch()

    def change(number: int) -> None:
        set_status(engine, state="temporarily_closed", message=f"Message {number:03} of the test.")
        watch.changed(f"Message {number:03} of the test.")

    change(0)
    with serving(folder) as service, cache_before(service.port, tmp_path) as front:
        paths = list(PROMISED)

        async def read(client: httpx.AsyncClient, number: int) -> None:
            path = paths[number % len(paths)]
            # Half of the requests accept no compression: a second variant in the cache.
            encoding = "gzip" if number % 2 else "identity"
            asked_at = time.monotonic()
            answer = await client.get(f"{front}{path}", headers={"Accept-Encoding": encoding})
            watch.seen(path, answer, asked_at=asked_at)

        async with httpx.AsyncClient() as client:
            begun = time.monotonic()
            lasts = CHANGES * SECONDS_BETWEEN_CHANGES + max(PROMISED.values())
            for batch in range(REQUESTS // 20):
                await asyncio.sleep(begun + batch * lasts * 20 / REQUESTS - time.monotonic())
                due = int((time.monotonic() - begun) / SECONDS_BETWEEN_CHANGES)
                if len(watch.messages) <= min(due, CHANGES):
                    await asyncio.to_thread(change, len(watch.messages))
                await asyncio.gather(*(read(client, batch * 20 + n) for n in range(20)))
            reached = (tmp_path / "origin.log").read_text().splitlines()
            # Makes the cache fetch each path again after the last change.
            for number in range(len(paths) * 2):
                await read(client, number)
            newest = [await client.get(f"{front}{path}") for path in paths]
            service.signal(signal.SIGKILL)
            await asyncio.sleep(PROMISED["/v1/status"])
            without = [await client.get(f"{front}{path}") for path in paths[:1]]
    engine.dispose()
    sys.stdout.write(
        f"{watch.requests} requests, {len(reached)} reached the service: {Counter(reached)}\n"
        f"age of the oldest answer after a change, in seconds: {dict(watch.oldest)}\n"
    )
    assert watch.requests >= REQUESTS
    assert len(watch.messages) == CHANGES + 1
    assert len(reached) < REQUESTS / 100
    assert set(watch.oldest) == set(PROMISED), "no answer was ever old: the test measures nothing"
    for path, seconds in PROMISED.items():
        assert watch.oldest[path] <= seconds
    assert all(watch.messages[-1] in answer.text for answer in newest)
    assert [answer.status_code for answer in without] == [200]
