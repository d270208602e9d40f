"""Limits of connections and heads, request smuggling, trailers and upgrades, over raw sockets."""

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
SECOND_REQUEST = STATUS + b"\r\n"
CLOSING = STATUS + b"Connection: close\r\n\r\n"
LAST_CHUNK = b"0\r\n"
ENDED = b"\r\n"
SLOW_OF_EACH_KIND = 75
CONNECTIONS_PER_ADDRESS = Settings.model_fields["connections_per_address"].default


def answers_to(service: Service, *pieces: bytes) -> bytes:
    """Sends the pieces, and returns all bytes until the service closes the connection."""
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


def assert_refused(answers: bytes, status: int, slug: str) -> None:
    """Asserts that there is one answer: the problem, without anything that was sent."""
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"%d" % status], answers
    head, _, body = answers.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    assert f'"/problems/{slug}"'.encode() in body
    assert b"canary" not in answers


@pytest.mark.parametrize(
    "message",
    [
        CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Content-Length: 4\r\nContent-Length: 0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Content-Length: 4, 4\r\n\r\nabcd" + SECOND_REQUEST,
        POST + b"Content-Length: +4\r\n\r\nabcd" + SECOND_REQUEST,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SECOND_REQUEST,
        CHUNKED + b"\r\n+1\r\nx\r\n0\r\n\r\n" + SECOND_REQUEST,
        CHUNKED + b"\r\n1\r\nxx0\r\n\r\n" + SECOND_REQUEST,
        CHUNKED + b"\r\n1;canary\nb\r\nx\r\n0\r\n\r\n" + SECOND_REQUEST,
        STATUS.replace(b"\r\n", b"\n") + b"\n",
        STATUS + b"X: canary\n\r\n" + SECOND_REQUEST,
        b"GET /v1/status HTTP/1.1\r\nHost: a\rX: canary\r\n\r\n" + SECOND_REQUEST,
        STATUS + b"X: canary\r\n folded\r\n\r\n" + SECOND_REQUEST,
        STATUS + b"X: can\x00ary\r\n\r\n" + SECOND_REQUEST,
        b"GET /v1/status HTTP/1.1\r\n\r\n" + SECOND_REQUEST,
        STATUS + b"Host: b\r\n\r\n" + SECOND_REQUEST,
        b"GET /v1/status HTTP/1.1\r\nHost: canary b\r\n\r\n" + SECOND_REQUEST,
        b"GET /canary\xff HTTP/1.1\r\nHost: a\r\n\r\n" + SECOND_REQUEST,
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
def test_ambiguous_messages_are_refused(service: Service, message: bytes) -> None:
    """An ambiguous message gets a 400 and ends the connection; a request behind it is not read."""
    assert_refused(answers_to(service, message), 400, "bad-request")


def test_an_upgrade_is_ignored(service: Service) -> None:
    """A request that offers another protocol is answered with HTTP/1.1."""
    offer = b"Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    assert answers_to(service, STATUS + offer).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_body_after_an_upgrade_offer(service: Service, pieces: int) -> None:
    """The body of a request that offers HTTP/2 belongs to that request.

    Clients of Java and curl offer HTTP/2 with a POST.
    """
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAE\r\n"
    head = POST + offer + b"Content-Length: %d\r\n\r\n" % len(SECOND_REQUEST)
    last = STATUS + b"Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        if pieces == 1:
            connection.sendall(head + SECOND_REQUEST + last)
        else:
            connection.sendall(head)
            time.sleep(0.1)
            connection.sendall(SECOND_REQUEST + last)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"410", b"200"]


def test_pipelined_upgrade_offers(service: Service) -> None:
    """Each of 500 pipelined upgrade offers is answered."""
    offer = STATUS + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    answers = answers_to(service, 500 * offer + STATUS + b"Connection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200") == 501


def fields(count: int, size: int) -> bytes:
    """`count` header fields with values of `size` bytes."""
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
        # With more data unread, the closed connection could be reset before the answer is read.
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
    """A head that is too large is refused at once, and the connection is closed."""
    assert_refused(answers_to(service, message), status, slug)


def test_a_head_within_the_limits(service: Service) -> None:
    """100 fields, 8 KiB of URL and nearly 16 KiB of fields are accepted, in pieces of any size."""
    target = b"/v1/" + b"a" * (TARGET_BYTES - 4)
    lines = b"Host: a\r\nConnection: close\r\n" + fields(FIELDS - 2, 150)
    assert FIELDS_BYTES * 0.9 < len(lines) < FIELDS_BYTES
    message = b"GET " + target + b" HTTP/1.1\r\n" + lines + b"\r\n"
    assert answers_to(service, message).startswith(b"HTTP/1.1 404")
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        # The body of the request before does not count as part of the next head.
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
    """Trailers have the limits of a head, in pieces of any size."""
    size = len(trailers) // parts
    pieces = [trailers[begin : begin + size] for begin in range(0, len(trailers), size)]
    answers = answers_to(service, CHUNKED + b"\r\n1\r\n{\r\n" + LAST_CHUNK, *pieces)
    assert_refused(answers, 431, "header-fields-too-large")


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
    """A trailer is not a header field of its request or of the next one."""
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


def test_a_pipelined_head_has_its_own_limits(service: Service) -> None:
    """A second head in the same packet is refused if it is too large; the first is answered."""
    answers = answers_to(
        service, SECOND_REQUEST + STATUS + fields(1, FIELDS_BYTES) + b"\r\n" + SECOND_REQUEST
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]


def test_the_request_before_an_invalid_one_is_answered(service: Service) -> None:
    """A request before an invalid one is answered, and the connection is closed."""
    answers = answers_to(
        service, SECOND_REQUEST + b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + SECOND_REQUEST
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]
    assert b"connection: close" in answers.lower()


async def test_slow_clients_are_disconnected(service: Service) -> None:
    """300 slow connections of four kinds are closed, while another client is served.

    A client that reads its answers slowly, but without a pause, is not disconnected.
    """
    bundle = b"GET /v1/bundle HTTP/1.1\r\nHost: a\r\n\r\n"
    begun = time.monotonic()
    over = asyncio.Event()
    slow = [
        asyncio.create_task(kind)
        for _ in range(SLOW_OF_EACH_KIND)
        for kind in (
            until_closed(service, b""),
            until_closed(service, STATUS, drops=b"X: a\r\n"),
            until_closed(service, POST + b"Content-Length: 60000\r\n\r\n", drops=b" "),
            until_closed(service, bundle * 40, reads=False),
        )
    ]
    steady = asyncio.create_task(read_slowly(service, bundle * 100))
    good = asyncio.create_task(read_until(service, over))
    ended = await asyncio.wait_for(asyncio.gather(*slow), PATIENCE)
    assert time.monotonic() - begun >= SECONDS
    # A client that is sending at the end may see the closed connection before the answer.
    for number, ends in enumerate(({""}, {"408", "cut"}, {"408", "cut"}, {"cut"})):
        assert set(ended[number::4]) <= ends
    assert ended.count("408") > SLOW_OF_EACH_KIND
    assert not steady.done()
    steady.cancel()
    over.set()
    statuses, taken = await good
    assert len(statuses) > 50
    assert set(statuses) == {200}
    assert "Traceback" not in service.log.read_text()
    # A generous limit: other tests run meanwhile.
    assert median(taken) < 1


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Raises this process's limit of open files; the service keeps the lower limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_open(connection: socket.socket) -> bool:
    """Whether the service has not closed the connection."""
    try:
        connection.setblocking(False)
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_connections_are_limited_by_address(service: Service, many_descriptors: None) -> None:
    """Of 1,200 connections of one address 512 stay open; another address is always served."""
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    options: dict[str, Any] = {"transport": transport, "headers": {"Connection": "close"}}
    with ExitStack() as stack, service.client(**options) as good:
        connections = []
        for number in range(1200):
            connection = stack.enter_context(socket.socket())
            connection.connect(("127.0.0.1", service.port))
            with suppress(OSError):
                connection.sendall(STATUS)
            connections.append(connection)
            if number % 20 == 0:
                assert good.get("/v1/status").status_code == 200
        wait_for(lambda: sum(map(is_open, connections)) <= CONNECTIONS_PER_ADDRESS)
        assert sum(map(is_open, connections)) == CONNECTIONS_PER_ADDRESS
        assert good.get("/v1/status").status_code == 200
    log = service.log.read_text()
    assert log.count("more are refused") == 1
    assert "Traceback" not in log


def test_closed_connections_and_proxies_are_not_counted(folder: Path) -> None:
    """The limit counts open connections, and not those of a trusted proxy."""
    changes = {"CLINIC_CONNECTIONS_PER_ADDRESS": "5", "CLINIC_TRUSTED_PROXIES": "127.0.0.2/31"}
    with serving(folder, changes=changes) as service:
        for address, most in [("127.0.0.1", 5), ("127.0.0.3", 20), ("127.0.0.1", 5)]:

            def is_answered(address: str = address) -> bool:
                with suppress(OSError), connect(service, address) as connection:
                    connection.sendall(CLOSING)
                    return connection.recv(12) == b"HTTP/1.1 200"
                return False

            wait_for(is_answered)
            with ExitStack() as stack:
                opened = [stack.enter_context(connect(service, address)) for _ in range(20)]

                def is_bounded(opened: list[socket.socket] = opened, most: int = most) -> bool:
                    return sum(map(is_open, opened)) <= most

                wait_for(is_bounded)
                # The connection that was answered may still be counted.
                assert sum(map(is_open, opened)) >= most - 1


def connect(service: Service, address: str) -> socket.socket:
    """A connection from a local address to the service."""
    return socket.create_connection(
        ("127.0.0.1", service.port), timeout=PATIENCE, source_address=(address, 0)
    )


async def test_head_and_body_share_one_deadline(service: Service) -> None:
    """The deadline starts with the head: a slow head leaves less time for the body."""
    body = POST[4:] + b"Content-Length: 60000\r\n\r\n"
    ended: list[str] = []

    async def first() -> None:
        assert await until_closed(service, POST[:4], rest=body, drops=b" ") in ("408", "cut")
        ended.append("first")

    async def later() -> None:
        await asyncio.sleep(SECONDS / 4)
        assert await until_closed(service, STATUS, drops=b"X: a\r\n") in ("408", "cut")
        ended.append("later")

    await asyncio.gather(first(), later())
    assert ended == ["first", "later"]


async def until_closed(
    service: Service, begin: bytes, *, rest: bytes = b"", drops: bytes = b"", reads: bool = True
) -> str:
    """Sends slowly until the service closes the connection.

    Sends `begin`, after half of the deadline `rest`, and then `drops` twice a second. Returns the
    status of the answer, "" if there was none, or "cut" if the connection was reset.
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
                    # Without reading, only a write can fail on a closed connection.
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
    """A connection with a small receive buffer."""
    connection = socket.socket()
    # Too small for a whole answer, so that the service has to wait for the client.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", service.port))
    return connection


async def read_slowly(service: Service, message: bytes) -> None:
    """Sends a message, and reads the answers at 40 kB/s until the connection ends."""
    loop = asyncio.get_running_loop()
    with await connected(service) as connection:
        await loop.sock_sendall(connection, message)
        while await loop.sock_recv(connection, 2048):
            await asyncio.sleep(0.05)


async def read_until(service: Service, over: asyncio.Event) -> tuple[list[int], list[float]]:
    """Reads the status until the event is set; returns the statuses and the seconds."""
    statuses, taken = [], []
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as client:
        while not over.is_set():
            begun = time.monotonic()
            statuses.append((await client.get("/v1/status")).status_code)
            taken.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
    return statuses, taken
