"""What a request leaves behind when the database fails it: nothing, and a plain 503."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from models.consultation_request import Consent, ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.sealing_key import SealingKey
from tests.support.databases import (
    administer,
    bring_back,
    commits_that_raise,
    connected,
    kind_of,
    take_away,
    url_of,
)
from tests.support.health import not_ready, ready_again
from tests.support.intake import PATH, bearer, body_of, count, post, problem
from tests.support.keys import keyring_of, with_another_key
from tests.support.waiting import wait_for

KEY = "one-key-for-all"
TABLES = (ConsultationRequest, Consent, IdempotencyRecord, SealingKey)
LARGE = body_of(message="👍" * 2000)


def unavailable(answer: httpx.Response) -> None:
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def assert_reads_go_on(client: httpx.AsyncClient) -> None:
    """Public reads answer as ever; one that waited for the lock would end as a 503."""
    for path in ("/v1/status", "/v1/sections", "/v1/faqs", f"{PATH}/form", "/v1/bundle"):
        assert (await client.get(path)).status_code == 200, path


IN_TRANSACTION = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
)


def assert_lock_is_free(engine: Engine) -> None:
    """Another process could write now: no transaction was left open."""
    if engine.dialect.name == "postgresql":
        # One that only looks for changes is over in a moment.
        wait_for(lambda: administer(engine.url, IN_TRANSACTION) == [(0,)])
        return
    other = sqlite3.connect(str(engine.url.database), timeout=0.1, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


TRAP = "CREATE TABLE trap (id INTEGER REFERENCES clinic (id) DEFERRABLE INITIALLY DEFERRED)"
SPRINGS = {
    "sqlite": [
        """CREATE TRIGGER spring AFTER INSERT ON consultation_request
        BEGIN INSERT INTO trap VALUES (-1); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO trap VALUES (-1); RETURN NULL; END $$""",
        """CREATE TRIGGER spring AFTER INSERT ON consultation_request
        FOR EACH ROW EXECUTE FUNCTION spring()""",
    ],
}


@contextmanager
def commits_that_break_a_reference(engine: Engine) -> Iterator[None]:
    """A deferred reference is looked at when a transaction commits, and breaks the commit."""
    kind = engine.dialect.name
    on_table = " ON consultation_request" if kind == "postgresql" else ""
    for statement in (TRAP, *SPRINGS[kind]):
        execute(engine, statement)
    yield
    for statement in (f"DROP TRIGGER spring{on_table}", "DROP TABLE trap"):
        execute(engine, statement)


def execute(engine: Engine, statement: str) -> None:
    """Runs it on a connection that the application has nothing to do with."""
    if engine.dialect.name == "postgresql":
        administer(engine.url, statement)
        return
    connection = sqlite3.connect(str(engine.url.database))
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("failing", [commits_that_break_a_reference, commits_that_raise])
@pytest.mark.parametrize("key", [KEY, None])
async def test_a_commit_that_fails_leaves_nothing(
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    folder: Path,
    failing: Callable[[Engine], Any],
    key: str | None,
) -> None:
    """No 2xx and no row of any kind; afterwards the same bytes are taken under the same key."""
    # The key that sealed the secret of the audit has its row already, and this one has none.
    with_another_key(keyring_of(folder), active=True)
    with failing(engine):
        for _ in range(2):
            unavailable(await post(client, key=key))
            assert_lock_is_free(engine)
            await assert_reads_go_on(client)
        assert [count(engine, table) for table in TABLES] == [0, 0, 0, 1]
    answer = await post(client, key=key)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert [count(engine, table) for table in TABLES] == [1, 1, 1 if key else 0, 2]


async def test_a_withdrawal_that_fails_is_not_told_as_done(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """While it cannot be written a withdrawal is 503, and the request stays as it was."""
    accepted = await post(client)
    location, headers = accepted.headers["Location"], bearer(accepted)
    with commits_that_raise(engine):
        unavailable(await client.post(f"{location}/withdrawal", headers=headers))
        assert (await client.get(location, headers=headers)).json()["state"] == "received"
    withdrawn = await client.post(f"{location}/withdrawal", headers=headers)
    assert withdrawn.json()["state"] == "withdrawn"


@pytest.mark.database("sqlite")
async def test_a_reader_that_holds_up_a_commit(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A commit that a long read outlasts is 503; once the read is over nothing is in the way."""
    reader = sqlite3.connect(folder / "clinic.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM clinic").fetchone()
    unavailable(await post(client, key=KEY))
    reader.close()
    assert_lock_is_free(engine)
    await assert_reads_go_on(client)
    assert count(engine) == 0
    assert (await post(client, key=KEY)).status_code == 201


@pytest.mark.database("sqlite")
async def test_a_full_disk(client: httpx.AsyncClient, engine: Engine, open_clinic: None) -> None:
    """POST is 503 within a second and never a lost 201, reads go on, and ready says no."""

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(engine, "checkout", limit)
    accepted: list[httpx.Response] = []
    refused: list[httpx.Response] = []
    taken = []
    for _ in range(30):
        begun = time.monotonic()
        answer = await post(client, LARGE)
        taken.append(time.monotonic() - begun)
        (accepted if answer.status_code == 201 else refused).append(answer)
    assert len(refused) > 20
    assert median(taken) < 1
    for answer in refused:
        unavailable(answer)
    assert count(engine) == len(accepted)
    await assert_reads_go_on(client)
    await not_ready(client)
    assert (await client.get("/health/live")).status_code == 200

    pages = 2**30
    await ready_again(client)
    assert (await post(client, LARGE)).status_code == 201
    event.remove(engine, "checkout", limit)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process is writing, and does not come to an end."""
    if kind_of(folder) == "postgresql":
        with connected(url_of(folder)) as connection, connection.transaction():
            connection.execute("LOCK TABLE consultation_request")
            yield
        return
    other = sqlite3.connect(folder / "clinic.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def test_another_process_holds_the_lock(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A POST waits a while and is 503, public reads go on, and nothing is kept of it."""
    with locked(folder):
        unavailable(await post(client, key=KEY))
        await assert_reads_go_on(client)
    assert count(engine) == 0
    assert (await post(client, key=KEY)).status_code == 201


@pytest.mark.parametrize("pooled", [True, False], ids=["while in use", "before it is used"])
async def test_the_database_is_gone(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, pooled: bool
) -> None:
    """Without the database every POST is a 503 problem; once it is back, it is taken again."""
    take_away(folder, used_by=None if pooled else engine)
    unavailable(await post(client))
    unavailable(await post(client, key=KEY))
    await not_ready(client)
    if not pooled:
        unavailable(await client.get("/v1/status"))
    bring_back(folder)
    assert (await post(client, key=KEY)).status_code == 201
    await ready_again(client)
    assert count(engine) == 1


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("spoilt", [b"", b"no database" * 1000])
async def test_the_database_is_spoilt(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, spoilt: bytes
) -> None:
    """A file that is empty, or no database, is a 503 problem for reads and writes."""
    engine.dispose()
    (folder / "clinic.db").write_bytes(spoilt)
    for answer in (await post(client), await post(client, key=KEY)):
        unavailable(answer)
    for path in ("/v1/status", "/v1/sections", f"{PATH}/form"):
        unavailable(await client.get(path))
    await not_ready(client)
