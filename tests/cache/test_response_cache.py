"""The response cache: its answers equal those of the routes, are current, and are bounded."""

import asyncio
import gzip
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

import brotli
import httpx
import pytest
from sqlalchemy import Engine, event

from api.cache import answer_cache
from api.cache.answer_cache import AnswerCache
from api.cache.negotiation import Representation, preferred_encoding
from api.cache.prepared import Answer
from api.cache.responses import is_canonical
from main import ClinicAPI
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.audit import open_with_audit
from tests.support.databases import bring_back, take_away
from tests.support.documents import content_of, publish
from tests.support.health import not_ready
from tests.support.intake import PATH, post, problem
from tests.support.process import run, serving
from tests.support.public_reads import NEVER_KEPT, STATES, TEXTS
from tests.support.waiting import PATIENCE, wait_until

MEDIA_TYPES = ["application/json", "application/ld+json"]


@pytest.fixture
def queries(engine: Engine) -> list[str]:
    """All SQL statements from now on, except the regular check for a new content version."""
    executed: list[str] = []

    def record(_c: object, _u: object, statement: str, *_: object) -> None:
        if "content_version" not in statement:
            executed.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    return executed


# An answer from the cache does not depend on the kind of the database.
@pytest.mark.shared
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", TEXTS + STATES)
async def test_a_stored_answer_equals_the_first(
    app: ClinicAPI, client: httpx.AsyncClient, path: str
) -> None:
    """A stored answer has the status, body and headers of the first, except its `X-Request-ID`."""
    for encoding in ("identity", "gzip", "br"):
        app.answer_cache.drop()
        await assert_stored_answer_is_equal(app, client, path, encoding)


async def assert_stored_answer_is_equal(
    app: ClinicAPI, client: httpx.AsyncClient, path: str, encoding: str
) -> None:
    """Compares GET, HEAD and 304 from the cache with the first answer."""
    headers = {"Accept-Encoding": encoding}
    first = await client.get(path, headers=headers)
    assert len(app.answer_cache) == 1
    again = await client.get(path, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    sent = dict(first.headers)
    assert sent.pop("x-request-id")
    assert dict(again.headers) == sent
    head = await client.head(path, headers=headers)
    assert (head.content, dict(head.headers)) == (b"", sent)
    headers["If-None-Match"] = first.headers["ETag"]
    same = await client.get(path, headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    left = {name: sent[name] for name in sent if not name.startswith("content-")}
    left |= {"content-security-policy": sent["content-security-policy"]}
    assert dict(same.headers) == left


async def test_encodings(client: httpx.AsyncClient) -> None:
    """The same bytes are served plain, in gzip and in brotli, each with its own entity tag."""
    answers = {}
    for encoding, decode in {
        "identity": lambda raw: raw, "gzip": gzip.decompress, "br": brotli.decompress,
    }.items():  # fmt: skip
        request = client.build_request("GET", "/v1/faqs", headers={"Accept-Encoding": encoding})
        answer = await client.send(request, stream=True)
        raw = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers.get("Content-Encoding", "identity") == encoding
        assert int(answer.headers["Content-Length"]) == len(raw)
        answers[answer.headers["ETag"]] = decode(raw)
    assert len(answers) == 3
    assert len(set(answers.values())) == 1


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (b"gzip, deflate, br, zstd", b"br"),
        (b"gzip", b"gzip"),
        (b"br;q=0.5, gzip", b"gzip"),
        (b"GZIP;Q=1", b"gzip"),
        (b"gzip;q=0", b"identity"),
        (b"gzip;q=0, *", b"br"),
        (b"*", b"br"),
        (b"*;q=0", b"identity"),
        (b"identity, gzip;q=0.1", b"identity"),
        (b"deflate", b"identity"),
        (b"gzip;q=x, br;q=", b"identity"),
        (b",;=,", b"identity"),
        (b"gzip" + b"," * 2000, b"identity"),
    ],
)
def test_the_preferred_encoding(accept: bytes, encoding: bytes) -> None:
    """The encoding follows the weights of RFC 9110; an invalid header gets the plain bytes."""
    assert preferred_encoding(accept) == encoding


async def test_the_next_answer_after_a_change_is_new(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """The process that changes the status serves the new status in its next answer."""
    for state in ("open", "temporarily_closed", "open", "permanently_closed"):
        set_status(engine, state=state)
        for path in ("/", "/v1/status", "/v1/sections", "/v1/faqs", f"{PATH}/form", "/v1/bundle"):
            assert state in (await client.get(path)).text, path


async def test_a_key_names_media_type_and_language(
    app: ClinicAPI, client: httpx.AsyncClient, engine: Engine
) -> None:
    """The cache stores one answer for each media type, under the clinic's language."""

    async def kept(locale: str) -> list[bool]:
        app.answer_cache.drop()
        for _ in range(2):
            for media_type in MEDIA_TYPES:
                await client.get("/v1/clinic", headers={"Accept": media_type})
        assert len(app.answer_cache) == len(MEDIA_TYPES)
        keys = [("/v1/clinic", b"", Representation(kind, locale)) for kind in MEDIA_TYPES]
        return [app.answer_cache.get(key) is not None for key in keys]

    assert await kept("en-US") == [True, True]
    for kind in ("status", "notices"):
        publish(engine, kind, locale="es-US", content=content_of(engine, kind))
    clinic = {**content_of(engine, "clinic"), "locales": ["es-US"]}
    publish(engine, "clinic", locale="es-US", content=clinic)
    publish(engine, "clinic", content=clinic)
    assert await kept("es-US") == [True, True]


async def test_a_hit_does_not_use_the_database(
    client: httpx.AsyncClient, queries: list[str]
) -> None:
    """A hit runs no SQL statement."""
    await client.get("/v1/sections")
    assert any("status_change" in statement for statement in queries)
    queries.clear()
    for path in ("/v1/sections", "/v1/sections"):
        assert (await client.get(path)).status_code == 200
    assert not any("status_change" in statement for statement in queries)


async def test_concurrent_misses_run_the_route_once(
    client: httpx.AsyncClient, engine: Engine, log: pytest.LogCaptureFixture
) -> None:
    """Concurrent reads of one path after a change share one answer of the route."""
    path = "/v1/sections/exercises"
    alone = await client.get(path)
    set_status(engine, state="open")
    log.clear()
    answers = await asyncio.gather(*(client.get(path) for _ in range(50)))
    # The route logs a line; a hit logs none.
    assert len([line for line in log.messages if line.startswith("GET ")]) == 1
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["clinic_state"] == "open"
    assert alone.json()["clinic_state"] == "permanently_closed"
    unknown = await asyncio.gather(*(client.get(f"{path}-or-not") for _ in range(20)))
    assert [answer.status_code for answer in unknown] == [404] * 20


async def test_errors_and_other_spellings_are_not_stored(
    app: ClinicAPI, client: httpx.AsyncClient
) -> None:
    """Errors, `no-store` answers and queries in another form than the canonical are not stored."""
    for path in NEVER_KEPT:
        await client.get(path)
    for query in ("limit=05", "limit=%35", "answered=true&", "section=exercises&answered=true",
                  "&limit=5", "cursor=&limit=5"):  # fmt: skip
        await client.get(f"/v1/faqs?{query}")
    assert len(app.answer_cache) == 0
    await client.get("/v1/faqs?answered=true&section=exercises")
    assert len(app.answer_cache) == 1


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        (b"", True), (b"limit=5", True), (b"answered=true&limit=10", True),
        (b"limit=10&answered=true", False), (b"limit=05", False), (b"limit=", False),
        (b"limit=%35", False), (b"limit=5&", False), (b"topic=a+b", False), (b"a", False),
        (b"topic=" + b"a" * 300, False), (b"\xff=1", False),
    ],
)  # fmt: skip
def test_one_spelling_is_canonical(query: bytes, canonical: bool) -> None:
    """A canonical query is sorted, short, unescaped, and without empty values or leading zeros."""
    assert is_canonical(query) is canonical


async def test_the_cache_is_bounded(
    app: ClinicAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit of entries or bytes, the least recently used answer is removed."""
    monkeypatch.setattr(answer_cache, "MAX_ENTRIES", 3)
    await client.get("/v1/status")
    for limit in range(1, 8):
        await client.get(f"/v1/faqs?limit={limit}")
        await client.get("/v1/status")
        assert len(app.answer_cache) <= 3
    assert app.answer_cache.get(("/v1/status", b"", app.answer_cache.default_representation))
    assert not app.answer_cache.get(
        ("/v1/faqs", b"limit=1", app.answer_cache.default_representation)
    )
    monkeypatch.setattr(answer_cache, "MAX_BYTES", 10_000)
    await client.get("/v1/sections")
    assert len(app.answer_cache) <= 3
    await client.get("/v1/faqs/may-it-hurt")
    assert app.answer_cache._size <= 10_000


async def test_an_answer_from_before_a_change_is_not_stored(engine: Engine) -> None:
    """An answer that was made while the content changed is not stored."""
    kept = AnswerCache()
    await kept.refresh(engine)
    answer = Answer.of([], b"old", compress=False)
    kept.put(("/a", b"", kept.default_representation), answer, epoch=kept.epoch)
    assert len(kept) == 1
    before = kept.epoch
    set_status(engine, state="open")
    assert not kept.is_current
    kept.put(("/b", b"", kept.default_representation), answer, epoch=before)
    await kept.refresh(engine)
    assert (len(kept), kept.epoch) == (0, before + 1)
    kept.put(("/b", b"", kept.default_representation), answer, epoch=before)
    assert len(kept) == 0


async def test_an_unreachable_database(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """Without the database stored answers are served, other reads get 503, and readiness fails."""
    assert (await client.get("/v1/status")).status_code == 200
    take_away(folder, used_by=engine)
    await asyncio.sleep(0.8)
    assert (await client.get("/v1/status")).json()["state"] == "permanently_closed"
    problem(await client.get("/v1/faqs"), 503, "unavailable")
    await not_ready(client)
    bring_back(folder)
    assert (await client.get("/v1/faqs")).status_code == 200


async def test_a_change_by_another_process(folder: Path) -> None:
    """A change by another process is served here soon, and requests are accepted."""
    async with running(folder) as one, client_of(one) as client:
        assert (await client.get("/v1/status")).json()["state"] == "permanently_closed"
        assert run("status", "set", "open", folder=folder).returncode == 0

        async def is_open() -> bool:
            return '"state":"open"' in (await client.get("/v1/status")).text

        # The next test measures how soon.
        await wait_until(is_open)
        assert (await post(client)).status_code == 201


def test_two_workers_serve_the_current_status(folder: Path) -> None:
    """Workers serve another process's change within a second, and a planned one at its time."""
    engine = open_with_audit(folder)
    late = []
    with serving(folder, workers=2) as service:
        for state in ("open", "temporarily_closed", "permanently_closed"):
            set_status(engine, state=state)
            late.append(seen(state, service.url).last_other)
        at = utc_now() + timedelta(seconds=1)
        set_status(engine, state="open", effective_from=at)
        wait = (at - utc_now()).total_seconds()
        scheduled = seen("open", service.url)
    engine.dispose()
    # The median: on a busy machine one change may take longer.
    assert median(late) <= 1
    assert scheduled.first >= wait - 0.01
    assert scheduled.last_other <= wait + 1


class Seen(NamedTuple):
    """Seconds until the first answer with a state, and until the last request that got another."""

    first: float
    last_other: float


def seen(state: str, url: str) -> Seen:
    """Reads the status until 20 answers in a row have the state; each has its own connection."""
    begun = time.monotonic()
    first, last_other, in_a_row = 0.0, 0.0, 0
    with httpx.Client(headers={"Connection": "close"}, timeout=PATIENCE) as client:
        while in_a_row < 20:
            asked = time.monotonic() - begun
            assert asked < PATIENCE
            if client.get(f"{url}/v1/status").json()["state"] == state:
                first = first or time.monotonic() - begun
                in_a_row += 1
            else:
                last_other, in_a_row = asked, 0
    return Seen(first, last_other)
