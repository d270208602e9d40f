"""How long a connection may take, how large its head may be, and what is not HTTP at all."""

import asyncio
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from api.http.deadlines import SECONDS
from api.http.heads import FIELDS, FIELDS_BYTES, TARGET_BYTES
from models.settings import Settings
from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.intake import body_of
from tests.support.process import Service, serving
from tests.support.staff import signed_in
from tests.support.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.database("sqlite")

STATUS = b"GET /v1/status HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /v1/consultation-requests HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
HIDDEN = STATUS + b"\r\n"
CLOSING = STATUS + b"Connection: close\r\n\r\n"
LAST_CHUNK = b"0\r\n"
ENDED = b"\r\n"
SLOW = 75
CONNECTIONS_PER_ADDRESS = Settings.model_fields["connections_per_address"].default


def answers_to(service: Service, *pieces: bytes) -> bytes:
    """All that comes back until the service closes the connection."""
    answers = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            while chunk := connection.recv(65536):
                answers += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass
    return answers


def is_refused(answers: bytes, status: int, slug: str) -> None:
    """Exactly one answer: the problem, and nothing of what was sent."""
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"%d" % status], answers
    head, _, body = answers.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    assert f'"/problems/{slug}"'.encode() in body
    assert b"canary" not in answers


@pytest.mark.parametrize(
    "message",
    [
        CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Content-Length: 4\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
        POST + b"Content-Length: 4, 4\r\n\r\nabcd" + HIDDEN,
        POST + b"Content-Length: +4\r\n\r\nabcd" + HIDDEN,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        CHUNKED + b"\r\n+1\r\nx\r\n0\r\n\r\n" + HIDDEN,
        CHUNKED + b"\r\n1\r\nxx0\r\n\r\n" + HIDDEN,
        CHUNKED + b"\r\n1;canary\nb\r\nx\r\n0\r\n\r\n" + HIDDEN,
        STATUS.replace(b"\r\n", b"\n") + b"\n",
        STATUS + b"X: canary\n\r\n" + HIDDEN,
        b"GET /v1/status HTTP/1.1\r\nHost: a\rX: canary\r\n\r\n" + HIDDEN,
        STATUS + b"X: canary\r\n folded\r\n\r\n" + HIDDEN,
        STATUS + b"X: can\x00ary\r\n\r\n" + HIDDEN,
        b"GET /v1/status HTTP/1.1\r\n\r\n" + HIDDEN,
        STATUS + b"Host: b\r\n\r\n" + HIDDEN,
        b"GET /v1/status HTTP/1.1\r\nHost: canary b\r\n\r\n" + HIDDEN,
        b"GET /canary\xff HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=[
        "both lengths", "two lengths", "a list of lengths", "a signed length", "no such coding",
        "chunked is not the last", "another coding", "two codings", "a space before the colon",
        "a tab of another kind", "a signed chunk", "a chunk longer than it says",
        "a line feed in a chunk's extension", "line feeds alone", "one line feed alone",
        "a carriage return alone", "a folded line", "a NUL", "no Host", "two Hosts",
        "a Host with a space", "an address beyond ASCII", "TLS",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_not_read(service: Service, message: bytes) -> None:
    """400 and the end of the connection: what is hidden behind it gets no answer."""
    is_refused(answers_to(service, message), 400, "bad-request")


def test_a_protocol_that_is_not_spoken_here(service: Service) -> None:
    """Whoever offers another one is answered in this one."""
    offer = b"Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    assert answers_to(service, STATUS + offer).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_body_behind_the_offer_of_another_protocol(service: Service, pieces: int) -> None:
    """It belongs to its request: Java's and curl's clients offer HTTP/2 with a POST."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAE\r\n"
    head = POST + offer + b"Content-Length: %d\r\n\r\n" % len(HIDDEN)
    last = STATUS + b"Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        if pieces == 1:
            connection.sendall(head + HIDDEN + last)
        else:
            connection.sendall(head)
            time.sleep(0.1)
            connection.sendall(HIDDEN + last)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"410", b"200"]


def test_many_offers_of_another_protocol_at_once(service: Service) -> None:
    """Each of 500 is answered."""
    offer = STATUS + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    answers = answers_to(service, 500 * offer + STATUS + b"Connection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200") == 501


def fields(count: int, size: int) -> bytes:
    return b"".join(b"X-%03d: %s\r\n" % (number, b"a" * size) for number in range(count))


@pytest.mark.parametrize(
    ("message", "status", "slug"),
    [
        (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 100_000), 414, "uri-too-long"),
        (b"GET /%s" % (b"a" * 100_000), 414, "uri-too-long"),
        (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * TARGET_BYTES), 414, "uri-too-long"),
        (STATUS + fields(FIELDS, 1) + b"\r\n", 431, "header-fields-too-large"),
        (STATUS + fields(1, FIELDS_BYTES) + b"\r\n", 431, "header-fields-too-large"),
        (STATUS + fields(20, 1000) + b"\r\n", 431, "header-fields-too-large"),
        # Small enough to be on its way when the answer comes: else a reset might overtake it.
        (STATUS + b"X: " + b"a" * 30_000, 431, "header-fields-too-large"),
    ],
    ids=[
        "100 kB",
        "no end",
        "one byte over",
        "101 fields",
        "a large field",
        "many",
        "no end of it",
    ],
)
def test_a_head_that_is_too_large(service: Service, message: bytes, status: int, slug: str) -> None:
    """It is refused as soon as that is known, and the connection ends."""
    is_refused(answers_to(service, message), status, slug)


def test_a_head_of_just_the_limits(service: Service) -> None:
    """100 fields, 8 KiB of address and nearly 16 KiB of fields are read, in whatever pieces."""
    target = b"/v1/" + b"a" * (TARGET_BYTES - 4)
    lines = b"Host: a\r\nConnection: close\r\n" + fields(FIELDS - 2, 150)
    assert FIELDS_BYTES * 0.9 < len(lines) < FIELDS_BYTES
    message = b"GET " + target + b" HTTP/1.1\r\n" + lines + b"\r\n"
    assert answers_to(service, message).startswith(b"HTTP/1.1 404")
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        # A large body before it is not counted as a part of the next head.
        body = b" " * 60_000
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 410")
        for begin in range(0, len(message), 1000):
            connection.sendall(message[begin : begin + 1000])
            time.sleep(0.001)
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    ("trailers", "parts"),
    [
        (fields(FIELDS + 1, 1) + ENDED, 1),
        (b"a:b\r\n" * 3000 + ENDED, 1),
        (b"a:b\r\n" * 3000 + ENDED, 3000),
        (fields(20, 1000) + ENDED, 1),
    ],
    ids=["101", "3,000", "3,000 one by one", "large ones"],
)
def test_trailers_have_the_limits_of_a_head(service: Service, trailers: bytes, parts: int) -> None:
    """Fields after a chunked body are bounded like those before it, in whatever pieces."""
    size = len(trailers) // parts
    pieces = [trailers[begin : begin + size] for begin in range(0, len(trailers), size)]
    answers = answers_to(service, CHUNKED + b"\r\n1\r\n{\r\n" + LAST_CHUNK, *pieces)
    is_refused(answers, 431, "header-fields-too-large")


TRAILERS = [
    b"Authorization: %(token)b",
    b"Idempotency-Key: canary-canary",
    b"Content-Type: application/json",
    b"Host: canary.example",
    b"Host: canary b",
    b"X-Forwarded-For: 203.0.113.%(number)d",
    b"Accept: canary",
]


def test_trailers_change_nothing(folder: Path) -> None:
    """A field after a chunked body is not a field of the request, nor of the next one."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    token = signed_in(engine)["Authorization"].encode()
    settings = {"CLINIC_TRUSTED_PROXIES": "127.0.0.1", "CLINIC_INTAKE_RATE": "3 per hour"}
    with serving(folder, changes=settings) as service:

        def send(path: bytes, *fields: bytes, times: int = 1) -> list[bytes]:
            body = b"%x\r\n%b\r\n0\r\n" % (len(body_of()), body_of())
            head = [b"POST %b HTTP/1.1" % path, b"Host: a", b"Transfer-Encoding: chunked", *fields]
            messages = [
                b"\r\n".join([*head, b"", body])
                + b"\r\n".join(TRAILERS) % {b"token": token, b"number": number}
                + b"\r\n\r\n"
                for number in range(times)
            ]
            answers = answers_to(service, b"".join([*messages, CLOSING]))
            assert b"canary" not in answers
            assert b"idempotent-replayed" not in answers
            return re.findall(rb"HTTP/1.1 (\d+)", answers)

        intake, is_json = b"/v1/consultation-requests", b"Content-Type: application/json"
        assert send(intake, is_json, times=4) == [b"201", b"201", b"201", b"429", b"200"]
        assert send(intake, b"X-Forwarded-For: 192.0.2.1") == [b"415", b"200"]
        assert send(b"/v1/staff/tokens", is_json) == [b"401", b"200"]
    engine.dispose()


def test_a_second_head_in_one_piece_has_its_limits(service: Service) -> None:
    """What comes in one piece with another request is bounded too; that request is answered."""
    answers = answers_to(service, HIDDEN + STATUS + fields(1, FIELDS_BYTES) + b"\r\n" + HIDDEN)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]


def test_the_request_before_a_broken_one_gets_its_answer(service: Service) -> None:
    """And it is the last one on this connection."""
    answers = answers_to(service, HIDDEN + b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + HIDDEN)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]
    assert b"connection: close" in answers.lower()


async def test_whoever_is_slow_does_not_stay(service: Service) -> None:
    """300 slow connections of four kinds: all are closed, and a good client notices nothing.

    Somebody who is slow, but takes what comes, is not cut off.
    """
    bundle = b"GET /v1/bundle HTTP/1.1\r\nHost: a\r\n\r\n"
    begun = time.monotonic()
    over = asyncio.Event()
    slow = [
        asyncio.create_task(kind)
        for _ in range(SLOW)
        for kind in (
            stays(service, b""),
            stays(service, STATUS, drops=b"X: a\r\n"),
            stays(service, POST + b"Content-Length: 60000\r\n\r\n", drops=b" "),
            stays(service, bundle * 40, reads=False),
        )
    ]
    steady = asyncio.create_task(takes_what_comes(service, bundle * 100))
    good = asyncio.create_task(goes_on(service, over))
    ended = await asyncio.wait_for(asyncio.gather(*slow), PATIENCE)
    assert time.monotonic() - begun >= SECONDS
    # Who is still sending when it ends may see the end before the answer.
    for number, ends in enumerate(({""}, {"408", "cut"}, {"408", "cut"}, {"cut"})):
        assert set(ended[number::4]) <= ends
    assert ended.count("408") > SLOW
    assert not steady.done()
    steady.cancel()
    over.set()
    statuses, taken = await good
    assert len(statuses) > 50
    assert set(statuses) == {200}
    assert "Traceback" not in service.log.read_text()
    # Beside the other tests; the benchmark knows how fast it is.
    assert median(taken) < 1


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """This process may open enough connections; the service was started with fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_open(connection: socket.socket) -> bool:
    try:
        connection.setblocking(False)
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_one_address_does_not_take_all_connections(
    service: Service, many_descriptors: None
) -> None:
    """Of 1,200 unfinished heads 512 stay; a client at another address gets every answer."""
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    options: dict[str, Any] = {"transport": transport, "headers": {"Connection": "close"}}
    with ExitStack() as stack, service.client(**options) as good:
        held = []
        for number in range(1200):
            connection = stack.enter_context(socket.socket())
            connection.connect(("127.0.0.1", service.port))
            with suppress(OSError):
                connection.sendall(STATUS)
            held.append(connection)
            if number % 20 == 0:
                assert good.get("/v1/status").status_code == 200
        wait_for(lambda: sum(map(is_open, held)) <= CONNECTIONS_PER_ADDRESS)
        assert sum(map(is_open, held)) == CONNECTIONS_PER_ADDRESS
        assert good.get("/v1/status").status_code == 200
    log = service.log.read_text()
    assert log.count("more are refused") == 1
    assert "Traceback" not in log


def test_a_connection_that_ends_makes_room_and_a_proxy_needs_none(folder: Path) -> None:
    """The bound is one of open connections, and a trusted proxy has none."""
    changes = {"CLINIC_CONNECTIONS_PER_ADDRESS": "5", "CLINIC_TRUSTED_PROXIES": "127.0.0.2/31"}
    with serving(folder, changes=changes) as service:
        for address, most in [("127.0.0.1", 5), ("127.0.0.3", 20), ("127.0.0.1", 5)]:
            place = (address, 0)

            def is_answered(place: tuple[str, int] = place) -> bool:
                with suppress(OSError), connect(service, place) as connection:
                    connection.sendall(CLOSING)
                    return connection.recv(12) == b"HTTP/1.1 200"
                return False

            wait_for(is_answered)
            with ExitStack() as stack:
                held = [stack.enter_context(connect(service, place)) for _ in range(20)]

                def is_bounded(held: list[socket.socket] = held, most: int = most) -> bool:
                    return sum(map(is_open, held)) <= most

                wait_for(is_bounded)
                # The one that was answered may have been counted still.
                assert sum(map(is_open, held)) >= most - 1


def connect(service: Service, place: tuple[str, int]) -> socket.socket:
    return socket.create_connection(
        ("127.0.0.1", service.port), timeout=PATIENCE, source_address=place
    )


async def test_head_and_body_share_their_time(service: Service) -> None:
    """Whoever took half of it for the head is gone before one that came some seconds later."""
    body = POST[4:] + b"Content-Length: 60000\r\n\r\n"
    ended: list[str] = []

    async def first() -> None:
        assert await stays(service, POST[:4], rest=body, drops=b" ") in ("408", "cut")
        ended.append("first")

    async def later() -> None:
        await asyncio.sleep(SECONDS / 4)
        assert await stays(service, STATUS, drops=b"X: a\r\n") in ("408", "cut")
        ended.append("later")

    await asyncio.gather(first(), later())
    assert ended == ["first", "later"]


async def stays(
    service: Service, begin: bytes, *, rest: bytes = b"", drops: bytes = b"", reads: bool = True
) -> str:
    """Takes its time until the connection ends; the status that was told, or how it ended.

    `rest` follows what it began with after half of the time.
    """
    loop = asyncio.get_running_loop()
    answer = b""
    with await connected(service) as connection:
        try:
            await loop.sock_sendall(connection, begin)
            if rest:
                await asyncio.sleep(SECONDS / 2)
                await loop.sock_sendall(connection, rest)
            while True:
                if not reads:
                    await asyncio.sleep(0.5)
                    # The end is seen by whoever writes.
                    await loop.sock_sendall(connection, b"\r\n")
                    continue
                try:
                    chunk = await asyncio.wait_for(loop.sock_recv(connection, 100), 0.5)
                except TimeoutError:
                    await loop.sock_sendall(connection, drops)
                    continue
                if not chunk:
                    return answer[9:12].decode()
                answer += chunk
        except OSError:
            return "cut"


async def connected(service: Service) -> socket.socket:
    connection = socket.socket()
    # So that an answer does not fit into what the system keeps.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", service.port))
    return connection


async def takes_what_comes(service: Service, message: bytes) -> None:
    loop = asyncio.get_running_loop()
    with await connected(service) as connection:
        await loop.sock_sendall(connection, message)
        while await loop.sock_recv(connection, 2048):
            await asyncio.sleep(0.05)


async def goes_on(service: Service, over: asyncio.Event) -> tuple[list[int], list[float]]:
    statuses, taken = [], []
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as client:
        while not over.is_set():
            begun = time.monotonic()
            statuses.append((await client.get("/v1/status")).status_code)
            taken.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
    return statuses, taken
