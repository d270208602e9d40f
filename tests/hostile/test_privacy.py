"""Data that a patient typed is in the sealed columns and nowhere else."""

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from data.crypto import Keyring, SealBroken, read_document
from data.database import writing
from data.intake.sealed import open_request
from data.intake.store import store_requests
from data.write_queue import BatchWriter
from models.consultation_request import ConsultationRequest
from models.idempotency import IdempotencyRecord
from tests.support.apps import client_of, running, set_status
from tests.support.canaries import Canaries, hits
from tests.support.databases import failing_commits, files_of, kind_of, take_away
from tests.support.intake import PATH, bearer, body_of, count, opened, post, problem

LOGGERS = ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm", "uvicorn",
           "uvicorn.error", "uvicorn.access", "asyncio", "alembic", "clinic_api")  # fmt: skip


class RecordingHandler(logging.Handler):
    """Stores each log line as it would be written, with its traceback and arguments."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The test's own HTTP client logs what it sends.
        if not record.name.startswith(("httpx", "httpcore")):
            self.lines.append(f"{record.name} {self.format(record)} {record.args!r}")


@pytest.fixture
def log() -> Iterator[RecordingHandler]:
    """All lines of all loggers at level DEBUG."""
    handler = RecordingHandler()
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    ours = logging.getLogger("clinic_api")
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    ours.addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    ours.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
async def debugging(log: RecordingHandler, folder: Path) -> AsyncIterator[FastAPI]:
    """The application, with every logger at DEBUG before it starts."""
    # No server listens on this port, so each e-mail fails and is logged.
    mail = {
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "service@clinic.test",
        "notify_to": "desk@clinic.test",
        "confirm_to_submitter": True,
    }
    async with running(folder, log_level="debug", intake_rate="100 per hour", **mail) as app:
        set_status(app.state.runtime.engine, state="open")
        yield app


class SealFails(Keyring):
    """A keyring whose exception contains the text that was to be sealed."""

    def seal(self, plaintext: bytes, *, location: str) -> bytes:
        raise RuntimeError(f"cannot seal {plaintext.decode()} {location}")


def failing_keyring(folder: Path) -> Keyring:
    return SealFails(read_document(folder / "keyring.json"))


def bodies(canaries: Canaries) -> Iterator[tuple[int, bytes, dict[str, str]]]:
    """The expected status, body and headers of requests with markers in each position."""
    word = canaries.word
    wrong = dict.fromkeys(("preferred_contact", "may_leave_voicemail", "best_time", "topic",
                           "consent_to_contact", "form_version"))  # fmt: skip
    yield 201, canaries.body(), {}
    yield 422, canaries.body(**{name: word() for name in wrong}), {}
    yield 422, canaries.body(name=f"{word()}\0", email=word(), phone=word(), topic=[word()]), {}
    yield 422, canaries.body(**{f"{word()}é": word(), word(): {word(): [word()]}}), {}
    yield 422, canaries.body(message={word(): word()}, name=[word()]), {}
    unknown = {word(): word(), f"{word()}é": [word()], "plain": {word(): word()}}
    yield 422, canaries.body(answers=unknown, consents=unknown, locale=f"en-{word()}"), {}
    yield 422, canaries.body(message=word() * 200, name=word() * 20, email=word() * 20), {}
    yield 422, json.dumps([word()]).encode(), {}
    yield 413, canaries.body(message=word() * 5000), {}
    yield 400, canaries.body()[:-1] + f', "name": "{word()}"}}'.encode(), {}
    yield 400, canaries.body()[:-9], {}
    yield 400, word().encode(), {}
    yield 400, canaries.body(name=f"{word()}\ud800"), {}
    yield 400, canaries.body().replace(b"Zo", b"\xff"), {}
    yield 415, canaries.body(), {"Content-Type": f"text/{word()}"}
    yield 415, canaries.body(), {"Content-Type": f"application/json; charset={word()}"}
    yield 415, canaries.body(), {"Content-Encoding": word()}
    yield 400, canaries.body(), {"Idempotency-Key": f"{word()} {word()}"}


def addresses(canaries: Canaries) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, URL and headers of requests with markers everywhere but in the body."""
    word = canaries.word
    for path in ("/v1/status", "/v1/status/history", "/v1/sections", "/v1/faqs", "/v1/bundle",
                 "/v1/clinic", f"{PATH}/form", "/health/ready", "/openapi.json", "/"):  # fmt: skip
        yield "GET", f"{path}?{word()}={word()}", {}
        yield "GET", f"{path}?limit={word()}&cursor={word()}&topic={word()}&name={word()}é", {}
    for name in ("limit", "cursor", "topic", "section", "answered"):
        yield "GET", f"/v1/faqs?{name}={word()}", {}
        yield "GET", f"/v1/faqs?{name}={word()}&{name}={word()}", {}
    for path in ("/{}", "/v1/{}", "/v1/sections/{}", "/v1/faqs/{}", f"{PATH}/{{}}", "/problems/{}"):
        for method in ("GET", "HEAD", "POST", "DELETE"):
            yield method, path.format(word()), {}
    yield "POST", f"{PATH}/{word()}/withdrawal", {"Authorization": f"Bearer {word()}"}
    yield word(), "/v1/status", {}
    names = (
        "Authorization", "Cookie", "User-Agent", "Referer", "Origin", "X-Request-ID", "Accept",
        "X-Forwarded-For", "Forwarded", "Accept-Language", "Accept-Encoding", "If-None-Match",
        "If-Match", "traceparent", "Range", "X-HTTP-Method-Override", "Idempotency-Key",
    )  # fmt: skip
    for path in ("/v1/status", "/v1/clinic", "/v1/bundle", f"{PATH}/{word()}"):
        yield "GET", path, {name: f'"{word()}"' for name in names}
    for path in (PATH, "/v1/status"):
        preflight = {"Access-Control-Request-Method": "POST", "Origin": f"https://{word()}.example"}
        yield "OPTIONS", path, preflight
        yield "OPTIONS", path, {**preflight, "Access-Control-Request-Headers": word()}
        yield "OPTIONS", path, {**preflight, "Access-Control-Request-Method": word()}


async def test_no_canary_is_found_anywhere(
    debugging: FastAPI, folder: Path, log: RecordingHandler, capfd: pytest.CaptureFixture[str]
) -> None:
    """No marker is in an answer, a log, the output, the database or its journal."""
    app, canaries, engine = debugging, Canaries(), debugging.state.runtime.engine
    canaries.watch(engine, folder)
    async with client_of(app) as client:
        for status, content, headers in bodies(canaries):
            assert await canaries.send(client, content, headers=headers) == status
        for method, address, headers in addresses(canaries):
            canaries.answers.append(await client.request(method, address, headers=headers))

        key, content = canaries.word(), canaries.body()
        for sent, status in ((content, 201), (content, 201), (canaries.body(), 422)):
            assert await canaries.send(client, sent, key=key) == status
        accepted = [answer for answer in canaries.answers if answer.status_code == 201]
        assert count(engine) == 2
        assert hits(canaries.markers, repr(opened(app, accepted[0])).encode())

        with failing_commits(engine):
            assert await canaries.send(client, canaries.body(), key=canaries.word()) == 503
        assert await canaries.send(client, canaries.body()) == 201
        runtime = app.state.runtime
        intake = runtime.intake
        runtime.intake = BatchWriter(
            partial(
                store_requests,
                keyring=failing_keyring(folder),
                emails=(),
                form_grace=runtime.settings.form_grace,
            ),
            queue=runtime.write_queue,
        )
        assert await canaries.send(client, canaries.body(), key=canaries.word()) == 500
        runtime.intake = intake

        if engine.dialect.name == "sqlite":
            await fill_the_disk(engine, client, canaries)
        for change in ({"state": "temporarily_closed"}, {"state": "permanently_closed"}):
            set_status(engine, **change)
            for sent in (canaries.body(), canaries.body()[:-1], canaries.body(topic=1)):
                key = canaries.word()
                assert await canaries.send(client, sent, key=key) in (409, 410)
        while await canaries.send(client, canaries.body()) != 429:
            pass
        headers = bearer(accepted[0])
        withdrawal = f"{accepted[0].headers['Location']}/withdrawal"
        canaries.answers.append(await client.post(withdrawal, headers=headers))
        canaries.files |= set(files_of(folder).items())
        take_away(folder, used_by=engine)
        async with client_of(app, "10.9.9.9") as other:
            assert await canaries.send(other, canaries.body(), key=canaries.word()) == 503

    assert {answer.status_code for answer in canaries.answers} >= {
        200, 201, 400, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503,
    }  # fmt: skip
    for answer in canaries.answers:
        head = b"\n".join(b": ".join(header) for header in answer.headers.raw)
        assert hits(canaries.markers, head + answer.content) == [], answer.status_code
    tokens = {answer.json()["receipt_token"] for answer in accepted}
    written = "\n".join(log.lines)
    for line in ("INSERT INTO consultation_request", "unhandled builtins.RuntimeError at", "POST"):
        assert line in written
    said = "".join(capfd.readouterr())
    if kind_of(folder) == "sqlite":
        assert {name for name, _ in canaries.files} >= {"clinic.db", "clinic.db-journal"}
    else:
        assert {Path(name).parts[0] for name, _ in canaries.files} == {"base", "pg_wal", "log"}
    kept = [content for _, content in canaries.files]
    for content in (written.encode(), said.encode(), *kept):
        assert hits(canaries.markers | tokens, content) == []


async def fill_the_disk(engine: Engine, client: httpx.AsyncClient, canaries: Canaries) -> None:
    """Sends requests while the database cannot grow."""

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    pages = 1
    event.listen(engine, "checkout", limit)
    full = [await canaries.send(client, canaries.body(message=canaries.word() * 90))
            for _ in range(12)]  # fmt: skip
    assert 503 in full
    pages = 2**30


def test_the_search_for_markers_works() -> None:
    """A marker is found raw, in base64 at any offset, in URLs, in JSON and in a `repr`."""
    marker = "Zoë (q0123456789abcdef)"
    for begin in ("", "x", "xy", "xyz"):
        text = f"{begin}{marker}{begin}"
        for content in (
            text.encode(), base64.b64encode(text.encode()), quote(text).encode(),
            base64.urlsafe_b64encode(text.encode()), json.dumps({"a": text}).encode(),
            repr(text.encode()).encode(), quote(text).lower().encode(),
        ):  # fmt: skip
            assert hits({marker}, content), content
    assert not hits({marker}, marker.replace("0", "1").encode())


Change = Callable[[Session, list[ConsultationRequest], list[IdempotencyRecord]], None]


def swap_requests(_: Session, rows: list[ConsultationRequest], __: object) -> None:
    rows[0].sealed, rows[1].sealed = rows[1].sealed, rows[0].sealed


def swap_answers(_: Session, __: object, records: list[IdempotencyRecord]) -> None:
    one, two = records
    one.sealed_answer, two.sealed_answer = two.sealed_answer, one.sealed_answer


def swap_columns(_: Session, rows: list[Any], records: list[Any]) -> None:
    by_id = {record.request_id: record for record in records}
    for row in rows:
        record = by_id[row.id]
        row.sealed, record.sealed_answer = record.sealed_answer, row.sealed


def flip_a_bit(_: Session, rows: list[Any], records: list[Any]) -> None:
    for row in rows:
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    for record in records:
        record.sealed_answer = record.sealed_answer[:-1] + bytes([record.sealed_answer[-1] ^ 1])


@pytest.mark.parametrize(
    ("change", "requests_open", "answers_open"),
    [
        (swap_requests, False, True),
        (swap_answers, True, False),
        (swap_columns, False, False),
        (flip_a_bit, False, False),
    ],
)
async def test_moved_or_changed_sealed_values(
    app: FastAPI,
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    change: Change,
    requests_open: bool,
    answers_open: bool,
) -> None:
    """A sealed value in another row or column, or with a flipped bit, cannot be opened."""
    sent = {"first-key": body_of(name="Ada"), "second-key": body_of(name="Eve")}
    for key, content in sent.items():
        assert (await post(client, content, key=key)).status_code == 201
    with writing(engine) as session:
        rows = list(session.exec(select(ConsultationRequest)))
        records = list(session.exec(select(IdempotencyRecord)))
        change(session, rows, records)
        session.add_all([*rows, *records])
    with Session(engine) as session:
        for row in session.exec(select(ConsultationRequest)):
            if requests_open:
                assert open_request(row, keyring=app.state.runtime.keyring)
            else:
                with pytest.raises(SealBroken):
                    open_request(row, keyring=app.state.runtime.keyring)
    for key, content in sent.items():
        answer = await post(client, content, key=key)
        if answers_open:
            assert answer.status_code == 201
        else:
            problem(answer, 500, "record-damaged")
    assert count(engine) == 2
