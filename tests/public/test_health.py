"""What readiness looks at, and what it costs to ask."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, delete, event

from data.crypto import write_keyring
from data.database import writing
from models.status_content import StatusContent
from tests.support.apps import client_of, running, set_status
from tests.support.clinic import prepare_database
from tests.support.databases import take_away
from tests.support.health import READY, failed_checks, not_ready, ready_again
from tests.support.intake import body_of, post
from tests.support.waiting import wait_until

CHECKS = ["database", "content", "keys", "mail", "deliveries"]
LARGE = body_of(message="👍" * 2000)


@contextmanager
def counted_probes(engine: Engine) -> Iterator[list[str]]:
    """The statements that write what a probe writes."""
    written: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO health_probe"):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield written
    event.remove(engine, "before_cursor_execute", note)


async def test_everything_is_well(client: httpx.AsyncClient) -> None:
    """Each check is named, in a fixed order, with a sentence about it."""
    assert await failed_checks(client) == []
    document = (await client.get(READY)).json()
    assert [check["name"] for check in document["checks"]] == CHECKS


async def test_many_who_ask_cost_one_write(client: httpx.AsyncClient, engine: Engine) -> None:
    """300 at once share one probe, and afterwards the answer is remembered for five seconds."""
    with counted_probes(engine) as written:
        begun = time.monotonic()
        answers = await asyncio.gather(*(client.get(READY) for _ in range(300)))
        assert len(written) == 1
        for _ in range(100):
            answers.append(await client.get(READY))
        assert len(written) <= 1 + (time.monotonic() - begun) // 5
        assert {answer.status_code for answer in answers} == {200}

        async def is_written_again() -> bool:
            assert (await client.get(READY)).status_code == 200
            return len(written) > 1

        await wait_until(is_written_again)
        assert time.monotonic() - begun >= 5


async def test_what_is_not_well_costs_no_write_either(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """A failed check is looked at again after a second; the others stay remembered."""
    file = folder / "keyring.json"
    aside = file.rename(folder / "aside.json")
    with counted_probes(engine) as written:
        begun = time.monotonic()
        assert await failed_checks(client) == ["keys"]
        aside.rename(file)
        await ready_again(client)
        assert len(written) <= 1 + (time.monotonic() - begun) // 5


async def test_a_database_without_content(client: httpx.AsyncClient, engine: Engine) -> None:
    """The service is not ready, and the check is named."""
    with writing(engine) as session:
        session.connection().execute(delete(StatusContent))
    assert await failed_checks(client) == ["content"]


async def test_a_database_that_is_away_is_logged_once(
    client: httpx.AsyncClient, engine: Engine, folder: Path, log: pytest.LogCaptureFixture
) -> None:
    """Every check that needs it fails, and one probe leaves one line, whoever asks."""
    take_away(folder, used_by=engine)
    await asyncio.gather(*(client.get(READY) for _ in range(20)))
    assert await failed_checks(client) == CHECKS
    lines = [line for line in log.messages if line.startswith("database ")]
    assert 1 <= len(lines) <= 2


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nothing may be mounted here; nobody looks at a disk that is really full")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, leave: int) -> Path:
    """A file that takes all but `leave` bytes of the disk."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - leave)
    return ballast


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize("leave", [0, 24 * 1024, 40 * 1024])
async def test_a_disk_that_is_really_full(tmp_path: Path, leave: int) -> None:
    """Ready says no where a request does not fit any more, and yes again soon after it does."""
    with small_disk(tmp_path / "disk") as folder:
        write_keyring(folder / "keyring.json", generated=True)
        prepare_database(folder)
        async with running(folder) as app, client_of(app) as client:
            set_status(app.state.runtime.engine, state="open")
            assert await failed_checks(client) == []
            ballast = fill(folder, leave=leave)
            assert (await post(client, LARGE)).status_code == 503
            await not_ready(client)
            ballast.unlink()
            begun = time.monotonic()
            assert (await post(client, LARGE)).status_code == 201
            await ready_again(client)
            assert time.monotonic() - begun < 7
