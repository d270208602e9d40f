"""Requests while the database fails: the answer is a 503, and nothing is stored."""

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
    connected,
    failing_commits,
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


def assert_unavailable(answer: httpx.Response) -> None:
    """Asserts that the answer is the 503 problem with `Retry-After`."""
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def assert_reads_go_on(client: httpx.AsyncClient) -> None:
    """Asserts that public reads succeed; a read that waited for the lock would get a 503."""
    for path in ("/v1/status", "/v1/sections", "/v1/faqs", f"{PATH}/form", "/v1/bundle"):
        assert (await client.get(path)).status_code == 200, path


IN_TRANSACTION = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
)


def assert_lock_is_free(engine: Engine) -> None:
    """Asserts that no transaction is open: another process could write now."""
    if engine.dialect.name == "postgresql":
        # The regular check for a new content version ends soon.
        wait_for(lambda: administer(engine.url, IN_TRANSACTION) == [(0,)])
        return
    other = sqlite3.connect(str(engine.url.database), timeout=0.1, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


# A trigger inserts a row that violates a deferred foreign key, which is checked at the commit.
TABLE = "CREATE TABLE violation (id INTEGER REFERENCES document (id) DEFERRABLE INITIALLY DEFERRED)"
TRIGGERS = {
    "sqlite": [
        """CREATE TRIGGER violate AFTER INSERT ON consultation_request
        BEGIN INSERT INTO violation VALUES (-1); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION violate() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO violation VALUES (-1); RETURN NULL; END $$""",
        """CREATE TRIGGER violate AFTER INSERT ON consultation_request
        FOR EACH ROW EXECUTE FUNCTION violate()""",
    ],
}


@contextmanager
def foreign_key_violations(engine: Engine) -> Iterator[None]:
    """Makes each commit of a new request fail with the violation of a foreign key."""
    kind = engine.dialect.name
    on_table = " ON consultation_request" if kind == "postgresql" else ""
    for statement in (TABLE, *TRIGGERS[kind]):
        execute(engine, statement)
    yield
    for statement in (f"DROP TRIGGER violate{on_table}", "DROP TABLE violation"):
        execute(engine, statement)


def execute(engine: Engine, statement: str) -> None:
    """Runs a statement on a connection outside the application."""
    if engine.dialect.name == "postgresql":
        administer(engine.url, statement)
        return
    connection = sqlite3.connect(str(engine.url.database))
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("failing", [foreign_key_violations, failing_commits])
@pytest.mark.parametrize("key", [KEY, None])
async def test_a_commit_that_fails_leaves_nothing(
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    folder: Path,
    failing: Callable[[Engine], Any],
    key: str | None,
) -> None:
    """A failing commit answers 503 and stores no row; afterwards the same request is accepted."""
    # The key that sealed the audit's secret has a row already; this one has none.
    with_another_key(keyring_of(folder), active=True)
    with failing(engine):
        for _ in range(2):
            assert_unavailable(await post(client, key=key))
            assert_lock_is_free(engine)
            await assert_reads_go_on(client)
        assert [count(engine, table) for table in TABLES] == [0, 0, 0, 1]
    answer = await post(client, key=key)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert [count(engine, table) for table in TABLES] == [1, 1, 1 if key else 0, 2]


async def test_a_failing_withdrawal_changes_nothing(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A withdrawal whose commit fails answers 503, and the request is not withdrawn."""
    accepted = await post(client)
    location, headers = accepted.headers["Location"], bearer(accepted)
    with failing_commits(engine):
        assert_unavailable(await client.post(f"{location}/withdrawal", headers=headers))
        assert (await client.get(location, headers=headers)).json()["state"] == "received"
    withdrawn = await client.post(f"{location}/withdrawal", headers=headers)
    assert withdrawn.json()["state"] == "withdrawn"


@pytest.mark.database("sqlite")
async def test_a_long_read_blocks_a_commit(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A commit blocked by a long read answers 503; after the read, requests are accepted again."""
    reader = sqlite3.connect(folder / "clinic.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM document").fetchone()
    assert_unavailable(await post(client, key=KEY))
    reader.close()
    assert_lock_is_free(engine)
    await assert_reads_go_on(client)
    assert count(engine) == 0
    assert (await post(client, key=KEY)).status_code == 201


@pytest.mark.database("sqlite")
async def test_a_full_disk(client: httpx.AsyncClient, engine: Engine, open_clinic: None) -> None:
    """On a full disk POST answers 503 within a second, reads succeed, and readiness fails."""

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
        assert_unavailable(answer)
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
    """Another process has an open write transaction."""
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


async def test_the_lock_of_another_process(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """While another process has the lock, POST answers 503 and stores nothing; reads succeed."""
    with locked(folder):
        assert_unavailable(await post(client, key=KEY))
        await assert_reads_go_on(client)
    assert count(engine) == 0
    assert (await post(client, key=KEY)).status_code == 201


@pytest.mark.parametrize("pooled", [True, False], ids=["while in use", "before it is used"])
async def test_an_unreachable_database(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, pooled: bool
) -> None:
    """Without its database each POST answers 503; with the database back it is accepted."""
    take_away(folder, used_by=None if pooled else engine)
    assert_unavailable(await post(client))
    assert_unavailable(await post(client, key=KEY))
    await not_ready(client)
    if not pooled:
        assert_unavailable(await client.get("/v1/status"))
    bring_back(folder)
    assert (await post(client, key=KEY)).status_code == 201
    await ready_again(client)
    assert count(engine) == 1


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
async def test_a_damaged_database_file(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, content: bytes
) -> None:
    """With an empty or invalid database file, reads and writes answer 503."""
    engine.dispose()
    (folder / "clinic.db").write_bytes(content)
    for answer in (await post(client), await post(client, key=KEY)):
        assert_unavailable(answer)
    for path in ("/v1/status", "/v1/sections", f"{PATH}/form"):
        assert_unavailable(await client.get(path))
    await not_ready(client)
