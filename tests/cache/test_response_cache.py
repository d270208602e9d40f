"""Public reads from prepared messages: the same answers, as long as they are true, and bounded."""

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
from sqlmodel import select

from api.cache import answer_cache
from api.cache.answer_cache import AnswerCache
from api.cache.negotiation import Representation, preferred_encoding
from api.cache.prepared import Answer
from api.cache.responses import is_canonical
from data.database import writing
from data.documents.publications import record_change
from main import ClinicAPI
from models.clinic import Clinic
from models.publication import Kind
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.audit import open_with_audit
from tests.support.databases import bring_back, take_away
from tests.support.health import not_ready
from tests.support.intake import PATH, post, problem
from tests.support.process import run, serving
from tests.support.public_reads import NEVER_KEPT, STATES, TEXTS
from tests.support.waiting import PATIENCE, wait_until

MEDIA_TYPES = ["application/json", "application/ld+json"]


@pytest.fixture
def queries(engine: Engine) -> list[str]:
    """What the database is asked from now on, the looking for changes aside."""
    asked: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        if "content_version" not in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    return asked


# From memory no database is asked.
@pytest.mark.shared
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("path", TEXTS + STATES)
async def test_a_kept_answer_is_the_routes_own(
    app: ClinicAPI, client: httpx.AsyncClient, path: str
) -> None:
    """Status, body and every header are those of the first answer, the request's id aside."""
    for encoding in ("identity", "gzip", "br"):
        app.answer_cache.drop()
        await compare(app, client, path, encoding)


async def compare(app: ClinicAPI, client: httpx.AsyncClient, path: str, encoding: str) -> None:
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
    """The same bytes plain, in gzip and in brotli, each with a tag of its own."""
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
    """As RFC 9110 weighs them; what cannot be understood gets the plain bytes."""
    assert preferred_encoding(accept) == encoding


async def test_the_next_answer_after_a_change_is_new(
    client: httpx.AsyncClient, engine: Engine
) -> None:
    """The process that publishes serves what it published with its very next answer."""
    for state in ("open", "temporarily_closed", "open", "permanently_closed"):
        set_status(engine, state=state)
        for path in ("/", "/v1/status", "/v1/sections", "/v1/faqs", f"{PATH}/form", "/v1/bundle"):
            assert state in (await client.get(path)).text, path


async def test_a_key_names_media_type_and_language(
    app: ClinicAPI, client: httpx.AsyncClient, engine: Engine
) -> None:
    """Each media type has its own answer, in the clinic's language from the first read on."""

    async def kept(locale: str) -> list[bool]:
        app.answer_cache.drop()
        for _ in range(2):
            for media_type in MEDIA_TYPES:
                await client.get("/v1/clinic", headers={"Accept": media_type})
        assert len(app.answer_cache) == len(MEDIA_TYPES)
        keys = [("/v1/clinic", b"", Representation(kind, locale)) for kind in MEDIA_TYPES]
        return [app.answer_cache.get(key) is not None for key in keys]

    assert await kept("en-US") == [True, True]
    with writing(engine) as session:
        session.exec(select(Clinic)).one().locale = "es-US"
        record_change(session, kind=Kind.CLINIC)
    assert await kept("es-US") == [True, True]


async def test_a_hit_asks_the_database_nothing(
    client: httpx.AsyncClient, queries: list[str]
) -> None:
    """Once answered, a read is answered from memory."""
    await client.get("/v1/sections")
    assert any("notice" in statement for statement in queries)
    queries.clear()
    for path in ("/v1/sections", "/v1/sections"):
        assert (await client.get(path)).status_code == 200
    assert not any("notice" in statement for statement in queries)


async def test_many_at_once_wait_for_one_route(
    client: httpx.AsyncClient, engine: Engine, queries: list[str]
) -> None:
    """After a change, who wants the same gets the same, and the database is asked once."""
    path = "/v1/sections/what-is-ketamine"
    alone = await client.get(path)
    asked_alone = len([statement for statement in queries if "section.markdown" in statement])
    set_status(engine, state="open")
    queries.clear()
    answers = await asyncio.gather(*(client.get(path) for _ in range(50)))
    asked = [statement for statement in queries if "section.markdown" in statement]
    assert len(asked) == asked_alone == 1
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["clinic_state"] == "open"
    assert alone.json()["clinic_state"] == "permanently_closed"
    unknown = await asyncio.gather(*(client.get(f"{path}-or-not") for _ in range(20)))
    assert [answer.status_code for answer in unknown] == [404] * 20


async def test_errors_and_other_spellings_are_not_kept(
    app: ClinicAPI, client: httpx.AsyncClient
) -> None:
    """Nor what is `no-store`, nor the same question spelt differently."""
    for path in NEVER_KEPT:
        await client.get(path)
    for query in ("limit=05", "limit=%35", "answered=true&", "section=off-label-use&answered=true",
                  "&limit=5", "cursor=&limit=5"):  # fmt: skip
        await client.get(f"/v1/faqs?{query}")
    assert len(app.answer_cache) == 0
    await client.get("/v1/faqs?answered=true&section=off-label-use")
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
    """In order, plain, without empty values and leading zeros, and not too long."""
    assert is_canonical(query) is canonical


async def test_it_stays_within_its_bounds(
    app: ClinicAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than so many answers, or bytes, and the one that was asked for longest ago goes."""
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
    await client.get("/v1/faqs/party-drug")
    assert app.answer_cache._size <= 10_000


async def test_what_began_before_a_change_is_not_put_back(engine: Engine) -> None:
    """An answer that was made while something was published is given, and not kept."""
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


async def test_a_database_that_is_away(
    client: httpx.AsyncClient, engine: Engine, folder: Path
) -> None:
    """What was read before goes on being served, the rest is 503, and ready says so."""
    assert (await client.get("/v1/status")).status_code == 200
    take_away(folder, used_by=engine)
    await asyncio.sleep(0.8)
    assert (await client.get("/v1/status")).json()["state"] == "permanently_closed"
    problem(await client.get("/v1/faqs"), 503, "unavailable")
    await not_ready(client)
    bring_back(folder)
    assert (await client.get("/v1/faqs")).status_code == 200


async def test_another_process_publishes(folder: Path) -> None:
    """Soon it is told here too, and requests are taken."""
    async with running(folder) as one, client_of(one) as client:
        assert (await client.get("/v1/status")).json()["state"] == "permanently_closed"
        assert run("status", "set", "open", folder=folder).returncode == 0

        async def told() -> bool:
            return '"state":"open"' in (await client.get("/v1/status")).text

        # How soon is for the test below to say.
        await wait_until(told)
        assert (await post(client)).status_code == 201


def test_two_workers_tell_what_is_true(folder: Path) -> None:
    """What another process changes within a second, what was scheduled at its time."""
    engine = open_with_audit(folder)
    late = []
    with serving(folder, workers=2) as service:
        for state in ("open", "temporarily_closed", "permanently_closed"):
            set_status(engine, state=state)
            late.append(told_of(state, service.url).last_other)
        at = utc_now() + timedelta(seconds=1)
        set_status(engine, state="open", effective_from=at)
        wait = (at - utc_now()).total_seconds()
        scheduled = told_of("open", service.url)
    engine.dispose()
    # A busy machine may be late once.
    assert median(late) <= 1
    assert scheduled.first >= wait - 0.01
    assert scheduled.last_other <= wait + 1


class Told(NamedTuple):
    """Seconds: the first answer with a state, and the last question that got another one."""

    first: float
    last_other: float


def told_of(state: str, url: str) -> Told:
    """Asks until the workers tell nothing else; each question has a connection of its own."""
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
    return Told(first, last_other)
