"""Hostile bytes on a real connection: large bodies, unknown methods, aborted requests."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.process import Service
from tests.support.waiting import PATIENCE, wait_for

PATH = b"/v1/consultation-requests"
LIMIT = 64 * 1024
MEBIBYTE = 1024 * 1024


def send(service: Service, *parts: bytes) -> tuple[bytes, float]:
    """Sends the parts; returns one answer, and the seconds until its first byte."""
    begun = time.monotonic()
    answer = b""
    first = 0.0
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        while chunk := connection.recv(65536):
            first = first or time.monotonic() - begun
            answer += chunk
            if is_complete(answer, to_head=parts[0].startswith(b"HEAD ")):
                break
    return answer, first


def is_complete(answer: bytes, *, to_head: bool) -> bool:
    """Whether the answer has its whole body."""
    start, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", start.lower())
    return bool(end) and (to_head or length is None or len(body) >= int(length[1]))


def head(*lines: bytes, method: bytes = b"POST") -> bytes:
    """The head of a request to the intake."""
    return b"\r\n".join([method + b" " + PATH + b" HTTP/1.1", b"Host: a", *lines, b"", b""])


def declared(length: int) -> bytes:
    """A head that declares a JSON body of this length."""
    return head(b"Content-Type: application/json", b"Content-Length: %d" % length)


CHUNKED = head(b"Content-Type: application/json", b"Transfer-Encoding: chunked")


def chunks(size: int) -> Iterator[bytes]:
    """The chunks of a body of this size, without the last one."""
    for begin in range(0, size, 32768):
        length = min(32768, size - begin)
        yield b"%x\r\n" % length + b"x" * length + b"\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [declared(LIMIT + 1), b"x" * (LIMIT + 1)],
        [declared(MEBIBYTE), b"x" * MEBIBYTE],
        [declared(64 * MEBIBYTE), b"x" * MEBIBYTE],
        [declared(64 * MEBIBYTE)],
        [declared(10**15)],
        [CHUNKED, *chunks(LIMIT + 1), b"0\r\n\r\n"],
        [CHUNKED, *chunks(MEBIBYTE), b"0\r\n\r\n"],
        [CHUNKED, *chunks(LIMIT + 1)],
        [CHUNKED, b"7fffffff\r\n", b"x" * MEBIBYTE],
    ],
    ids=[
        "one byte over", "1 MiB", "64 MiB announced, 1 MiB sent", "64 MiB announced, nothing sent",
        "a petabyte announced", "chunks, one byte over", "chunks, 1 MiB",
        "chunks without an end", "a chunk that lies",
    ],
)  # fmt: skip
def test_a_body_that_is_too_large_is_refused_at_once(service: Service, parts: list[bytes]) -> None:
    """A body that is too large gets a 413 within half a second, also with a false length."""
    taken = []
    # The fastest of three: other tests load the machine.
    for _ in range(3):
        answer, first = send(service, *parts)
        assert answer.startswith(b"HTTP/1.1 413"), answer
        assert b"application/problem+json" in answer
        assert b'"/problems/content-too-large"' in answer
        taken.append(first)
    assert min(taken) < 0.5


def test_a_body_within_the_limit(service: Service) -> None:
    """A body of 64 KiB passes the limit; the closed clinic then refuses it."""
    answer, _ = send(service, declared(LIMIT), b" " * LIMIT)
    assert answer.startswith(b"HTTP/1.1 410")


@pytest.mark.parametrize(
    "method",
    [b"TRACE", b"PROPFIND", b"PUT", b"DELETE", b"FOO", b"get", b"GETX", b"P", b"M-FOO", b"SETUP"],
)
def test_an_unknown_method(service: Service, method: bytes) -> None:
    """An unknown method gets a 405 with the methods of the path."""
    answer, _ = send(service, head(b"Connection: close", method=method))
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"\r\nallow: POST\r\n" in answer
    assert b"application/problem+json" in answer


FOO = b"FOO / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /v1/status HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"Connection: close\r\n\r\n"
BODY = b"Content-Length: %d\r\n\r\n" % len(GET + CLOSE) + GET + CLOSE


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([b"FOO /nothing HTTP/1.1\r\nHost: a\r\n", CLOSE], [404]),
        ([b"FOO * HTTP/1.1\r\nHost: a\r\n" + CLOSE], [404]),
        ([b"\r\nFOO / HTTP/1.1\r\nHost: a\r\n" + CLOSE], [405]),
        ([FOO + b"\r\n" + GET + CLOSE], [405, 200]),
        ([FOO + BODY + GET + CLOSE], [405, 200]),
        ([FOO + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + CLOSE], [405, 200]),
        ([FOO + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n"], [400]),
        ([b"FOO / HTTP/1.1\r\n\r\n" + GET + CLOSE], [400]),
        ([b"FOO  / HTTP/1.1\r\nHost: a\r\n" + CLOSE], [400]),
        ([b"F@O / HTTP/1.1\r\nHost: a\r\n" + CLOSE], [400]),
        ([b"FOO\t/ HTTP/1.1\r\nHost: a\r\n" + CLOSE], [400]),
        ([b"F" * 33 + b" / HTTP/1.1\r\nHost: a\r\n" + CLOSE], [400]),
        ([b"FOO / HTTP/1.1\nHost: a\n\n" + GET + CLOSE], [400]),
        ([FOO + b"\r\n" + FOO + CLOSE], [405]),
        ([GET + b"\r\n" + FOO + CLOSE], [200]),
        ([CHUNKED + FOO + CLOSE], [400]),
        ([CHUNKED, FOO + CLOSE], [400]),
    ],
    ids=[
        "an unknown path", "no path", "an empty line before it", "another request after it",
        "a body", "a chunked body", "two lengths", "no Host", "two spaces", "not a token", "a tab",
        "too long", "line feeds alone", "two of them", "after another request", "in a body",
        "in a body, by itself",
    ],
)  # fmt: skip
def test_a_method_unknown_to_the_parser(
    service: Service, pieces: list[bytes], statuses: list[int]
) -> None:
    """A request with such a method is framed like any other: one answer each, none to a body."""
    answers = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        for piece in pieces:
            connection.sendall(piece)
            # Reads what is answered so far, so that the next piece arrives alone.
            connection.settimeout(0.2)
            with suppress(TimeoutError):
                answers += connection.recv(65536)
        connection.settimeout(PATIENCE)
        while chunk := connection.recv(65536):
            answers += chunk
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answers)] == statuses
    assert b"FOO" not in answers


def test_head_has_no_body(service: Service) -> None:
    """The answer to HEAD has the headers of GET, and no byte more."""
    request = b" /v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    got, _ = send(service, b"GET" + request)
    answer, _ = send(service, b"HEAD" + request)
    lines = got.partition(b"\r\n\r\n")[0].lower().splitlines()
    same = [line for line in lines if not line.startswith((b"x-request-id", b"date"))]
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert set(same) <= set(headers.lower().splitlines())


def test_aborted_bodies(service: Service) -> None:
    """After 200 aborted bodies the log has no traceback, and the service still answers."""
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
            connection.sendall(declared(1000) + b'{"name": "')
    answer, _ = send(service, head(b"Connection: close"))
    assert answer.startswith(b"HTTP/1.1 410")
    assert "Traceback" not in service.log.read_text()


def test_the_log_contains_nothing_that_was_sent(service: Service) -> None:
    """No log line contains a query or a forwarded address."""
    forwarded = b"X-Forwarded-For: 203.0.113.77"
    send(service, head(forwarded, b"X-Forwarded-Proto: https", b"Connection: close"))
    answer, _ = send(
        service, b"GET /v1/faqs?canary=canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400")
    wait_for(lambda: "GET /v1/faqs 400" in service.log.read_text())
    log = service.log.read_text()
    for trace in ("203.0.113.77", "canary", "Traceback"):
        assert trace not in log
