"""The readiness check: what it covers, and what it costs."""

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
from models.status_change import StatusChange
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
    """Records the statements with which readiness checks that it can write."""
    written: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO health_probe"):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    yield written
    event.remove(engine, "before_cursor_execute", record)


async def test_a_ready_service(client: httpx.AsyncClient) -> None:
    """A ready service lists all checks in a fixed order, each with a sentence."""
    assert await failed_checks(client) == []
    document = (await client.get(READY)).json()
    assert [check["name"] for check in document["checks"]] == CHECKS


async def test_concurrent_checks_share_one_write(client: httpx.AsyncClient, engine: Engine) -> None:
    """300 concurrent checks share one write, and its result is stored for five seconds."""
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


async def test_a_failed_check_causes_no_extra_writes(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """A failed check runs again after a second; the write check keeps its five seconds."""
    file = folder / "keyring.json"
    aside = file.rename(folder / "aside.json")
    with counted_probes(engine) as written:
        begun = time.monotonic()
        assert await failed_checks(client) == ["keys"]
        aside.rename(file)
        await ready_again(client)
        assert len(written) <= 1 + (time.monotonic() - begun) // 5


async def test_a_database_without_content(client: httpx.AsyncClient, engine: Engine) -> None:
    """Without content the service is not ready, and the check `content` fails."""
    with writing(engine) as session:
        session.connection().execute(delete(StatusChange))
    assert await failed_checks(client) == ["content"]


async def test_an_unreachable_database_is_logged_once(
    client: httpx.AsyncClient, engine: Engine, folder: Path, log: pytest.LogCaptureFixture
) -> None:
    """Without the database every check fails, and concurrent checks log it once."""
    take_away(folder, used_by=engine)
    await asyncio.gather(*(client.get(READY) for _ in range(20)))
    assert await failed_checks(client) == CHECKS
    lines = [line for line in log.messages if line.startswith("database ")]
    assert 1 <= len(lines) <= 2


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mounts a file system of 4 MiB."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this machine does not allow mounts; a full disk is not tested")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, leave: int) -> Path:
    """Writes a file that leaves only `leave` bytes of the disk free; returns its path."""
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
async def test_a_full_disk(tmp_path: Path, leave: int) -> None:
    """Readiness fails while a request does not fit on the disk, and recovers soon after."""
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
