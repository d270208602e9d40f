"""Idempotency keys: a repeated request gets the same answer, and is stored once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update
from sqlmodel import Session, select

from data.database import writing
from models.consultation_request import ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.databases import files_of
from tests.support.intake import PATH, bearer, body_of, count, faults, post, problem

KEY = "3f0c9a52-key"


def assert_replayed(again: httpx.Response, first: httpx.Response) -> None:
    """Asserts that an answer repeats the first one."""
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Cache-Control"] == "no-store"
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_the_first_answer_is_repeated(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """The answer is repeated byte for byte, also after a withdrawal and a permanent closure."""
    first = await post(client, key=KEY)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    assert_replayed(await post(client, key=KEY), first)
    location = first.headers["Location"]
    withdrawn = await client.post(f"{location}/withdrawal", headers=bearer(first))
    assert withdrawn.status_code == 200
    assert_replayed(await post(client, key=KEY), first)
    set_status(engine, state="permanently_closed")
    assert_replayed(await post(client, key=KEY), first)
    assert count(engine) == 1


async def test_a_key_belongs_to_its_bytes(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """Another body with the same key is refused, even if it means the same."""
    assert (await post(client, key=KEY)).status_code == 201
    for other in (body_of(name="Eve"), body_of() + b" ", b""):
        problem(await post(client, other, key=KEY), 422, "idempotency-key-reused")
    assert (await post(client, key=KEY + "2")).status_code == 201
    assert count(engine) == 2


async def test_without_a_key_each_request_is_a_new_one(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """Without a key the same body twice is two requests."""
    assert [(await post(client)).status_code for _ in range(2)] == [201, 201]
    assert (count(engine), count(engine, IdempotencyRecord)) == (2, 0)


@pytest.mark.parametrize("key", ["12345678", "k" * 255, "!~#%&'()*+,-./:;<=>?@[]^_`{|}"])
async def test_quotes_around_a_key_are_ignored(
    client: httpx.AsyncClient, open_clinic: None, key: str
) -> None:
    """A key in quotes (a structured field) is the key without them."""
    first = await post(client, key=key)
    assert first.status_code == 201
    assert_replayed(await post(client, key=f'"{key}"'), first)


@pytest.mark.parametrize(
    "key",
    ["1234567", "k" * 256, '"1234567"', '"123456"', '""', "a key with blanks", "tab\tinside",
     "schlüssel-1", "\x7f2345678", f'"{"k" * 256}"'],
)  # fmt: skip
async def test_a_key_has_8_to_255_visible_ascii_characters(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, key: str
) -> None:
    """Any other key is a 400, and nothing is stored."""
    headers = [(b"Content-Type", b"application/json"), (b"Idempotency-Key", key.encode("latin-1"))]
    answer = await client.post(PATH, content=body_of(), headers=headers)
    problem(answer, 400, "invalid-idempotency-key")
    assert count(engine) == 0


@pytest.mark.parametrize("keys", [("",), ("first-key", "second-key"), ("same-key", "same-key")])
async def test_a_key_is_given_once(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, keys: tuple[str, ...]
) -> None:
    """An empty key and two keys are a 400."""
    headers = [("Content-Type", "application/json"), *(("Idempotency-Key", k) for k in keys)]
    answer = await client.post(PATH, content=body_of(), headers=headers)
    problem(answer, 400, "invalid-idempotency-key")
    assert count(engine) == 0


async def test_only_a_201_is_recorded(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """After 410, 415, 400 and 422 the corrected body is accepted with the same key."""
    set_status(engine, state="permanently_closed")
    problem(await post(client, key=KEY), 410, "clinic-permanently-closed")
    set_status(engine, state="open")
    text = {"Content-Type": "text/plain"}
    problem(await post(client, key=KEY, headers=text), 415, "unsupported-media-type")
    problem(await post(client, b"{", key=KEY), 400, "malformed-json")
    assert faults(await post(client, body_of(name=""), key=KEY)) == [("#/name", "name.required")]
    assert count(engine, IdempotencyRecord) == 0
    assert (await post(client, key=KEY)).status_code == 201
    assert count(engine, IdempotencyRecord) == 1


@pytest.mark.parametrize("body", [body_of(), body_of(name="Eve")])
async def test_an_answer_is_kept_for_30_days(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, body: bytes
) -> None:
    """A key expires after 30 days; then it can be used again with any body."""
    first = await post(client, key=KEY)
    with writing(engine) as session:
        record = session.exec(select(IdempotencyRecord)).one()
        assert abs(record.expires_at - utc_now() - timedelta(days=30)) < timedelta(minutes=1)
        past = utc_now() - timedelta(seconds=1)
        session.connection().execute(update(IdempotencyRecord).values(expires_at=past))
    again = await post(client, body, key=KEY)
    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]
    assert "Idempotent-Replayed" not in again.headers
    assert (count(engine), count(engine, IdempotencyRecord)) == (2, 1)


@pytest.mark.parametrize("rate", ["", "5 per hour"])
async def test_concurrent_repetitions(folder: Path, rate: str) -> None:
    """50 concurrent repetitions store one row, get one answer, and count once for the rate."""
    async with running(folder, intake_rate=rate) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        answers = await asyncio.gather(*(post(client, key=KEY) for _ in range(50)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
        assert (
            count(app.state.runtime.engine),
            count(app.state.runtime.engine, IdempotencyRecord),
        ) == (1, 1)
        others = [(await post(client)).status_code for _ in range(5)]
        assert others == [201, 201, 201, 201, 429 if rate else 201]


async def test_concurrent_repetitions_in_two_processes(folder: Path) -> None:
    """Concurrent repetitions to two services with one database store one row."""
    async with running(folder) as one, running(folder) as two:
        set_status(one.state.runtime.engine, state="open")
        async with client_of(one) as first, client_of(two) as second:
            answers = await asyncio.gather(
                *(post(client, key=KEY) for client in (first, second) * 25)
            )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert count(one.state.runtime.engine) == 1


async def test_concurrent_bodies_with_one_key(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None
) -> None:
    """Of 50 different bodies with one key one is accepted; the others get a 422."""
    bodies = [body_of(name=f"Ada {n}") for n in range(50)]
    answers = await asyncio.gather(*(post(client, body, key=KEY) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 49
    assert count(app.state.runtime.engine) == 1


async def test_the_key_is_not_in_the_database(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """The database's files contain digests of the key and the receipt token, not the values."""
    answer = await post(client, key=KEY)
    with Session(engine) as session:
        assert session.exec(select(ConsultationRequest.id)).one() == answer.json()["id"]
    content = b"".join(files_of(folder).values())
    assert answer.json()["id"].encode() in content
    assert KEY.encode() not in content
    assert answer.json()["receipt_token"].encode() not in content
