"""Query strings: unknown, repeated and invalid parameters."""

import random
import string
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from api.http.cursors import encode_text
from tests.support.document import DOCUMENT
from tests.support.intake import PATH, problem
from tests.support.repetitions import repetitions

pytestmark = pytest.mark.shared

READS = sorted(
    path.replace("{slug}", "exercises" if "sections" in path else "may-it-hurt")
    for path, methods in DOCUMENT["paths"].items()
    if "get" in methods and "{id}" not in path and "problems" not in path
)


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    """The errors of a 400 for the query."""
    errors: list[dict[str, Any]] = problem(answer, 400, "invalid-query")["errors"]
    return errors


@pytest.mark.parametrize("path", [*READS, "/docs", "/openapi.json", "/problems/gone", f"{PATH}/x"])
async def test_an_unknown_parameter_is_told(client: httpx.AsyncClient, path: str) -> None:
    """Every read reports an unknown parameter; it repeats a name only if this is a plain word."""
    for query, name in {
        "unknown=1": "unknown", "unknown": "unknown", "limitt=5": "limitt",
        "__proto__=1": "__proto__", "utm_source=x": "utm_source", "unknown=1&unknown=2": "unknown",
        "a" * 40: "a" * 40, "a" * 41: None, "=": None, "Limit=5": None, "limit[]=5": None,
        "%6Cimit2=1": None, "é=1": None, "my name": None, "unknown%00": None, "unknown%0A=1": None,
    }.items():  # fmt: skip
        answer = await client.get(f"{path}?{query}")
        assert told(answer) == [
            {
                "parameter": name,
                "code": f"{name or 'query'}.unknown",
                "detail": "This parameter is unknown.",
            }
        ]


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("limit", ["0", "-1", "101", "1.0", "1e1", "١٢", "10" * 15, "+5", " 5", "5 ", "0x5", "1_0",
                   "", "true", "null", "NaN", "\0", "5\0", "²"]),
        ("cursor", ["", "x", "-1", "1", "MQ==", "MQ\n", "MQ ", "4pKU", "LTE", "MS41", "%00", "é",
                    "MDE" * 40, "1' OR '1'='1", "../..", "🦊"]),
        ("answered", ["", "1", "0", "yes", "TRUE", "True", "on", "null", "truefalse", "true\0"]),
        ("topic", ["", "unknown", "A", "a b", "%", "_", "a" * 81, "'; DROP TABLE faq;--", "\0"]),
        ("section", ["", "unknown", "A", "a b", "%", "first-visit\0", "first_visit"]),
    ],
)  # fmt: skip
async def test_a_value_that_cannot_be_used_is_told(
    client: httpx.AsyncClient, parameter: str, values: list[str]
) -> None:
    """An invalid value is 400 with the parameter's name."""
    for value in values:
        answer = await client.get(f"/v1/faqs?{parameter}={quote(value)}")
        assert [(error["parameter"], error["code"]) for error in told(answer)] == [
            (parameter, f"{parameter}.invalid")
        ], value


@pytest.mark.parametrize("parameter", ["limit", "cursor", "answered", "topic", "section"])
async def test_a_parameter_is_given_once(client: httpx.AsyncClient, parameter: str) -> None:
    """A repeated parameter is 400, also with equal values."""
    answer = await client.get(f"/v1/faqs?{parameter}=1&{parameter}=1")
    assert [error["code"] for error in told(answer)] == [f"{parameter}.repeated"]


async def test_all_faults_are_told_at_once(client: httpx.AsyncClient) -> None:
    """All faults of a query are reported in one answer."""
    for query, codes in {
        "limit=x&answered=x": {"limit.invalid", "answered.invalid"},
        "limit=1&limit=1&x=1&y=1&Z=1": {
            "limit.repeated", "x.unknown", "y.unknown", "query.unknown",
        },
    }.items():  # fmt: skip
        answer = await client.get(f"/v1/faqs?{query}")
        assert {error["code"] for error in told(answer)} == codes


async def test_at_most_twenty_unknown_parameters_are_named(client: httpx.AsyncClient) -> None:
    """After 20 unknown parameters the others are one fault without a name."""
    names = [f"{first}{second}" for first in "abcde" for second in "abcdef"]
    answer = await client.get(f"/v1/faqs?{'&'.join(names)}")
    parameters = [error["parameter"] for error in told(answer)]
    assert parameters == [*names[:20], None]


async def test_a_cursor_beyond_the_end_is_an_empty_page(client: httpx.AsyncClient) -> None:
    """A cursor after the last item gives an empty page: the last text may be withdrawn."""
    answer = await client.get(f"/v1/faqs?cursor={encode_text('9999 =zzz')}")
    assert answer.status_code == 200
    assert answer.json()["data"] == []
    assert answer.json()["meta"]["next_cursor"] is None


async def status_of(app: FastAPI, path: str, query: str) -> int:
    """Calls the application without a client, which would take longer than the call."""
    told: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode("latin-1"), "headers": [(b"host", b"clinic.example")],
        "client": ("127.0.0.1", 50000), "server": ("clinic.example", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    [status] = told
    return status


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("times", repetitions(1_000, soak=50_000))
async def test_random_query_strings(app: FastAPI, times: int) -> None:
    """Random query strings never cause a 5xx."""
    chance = random.Random(8707)
    known = ["limit", "cursor", "answered", "topic", "section"]
    letters = string.ascii_lowercase + "%&=+;#?/\\'\"0123456789"
    statuses = set()
    for number in range(times):
        names = chance.choices([*known, "x", "%00", ""], k=chance.randint(1, 3))
        query = "&".join(
            f"{name}={''.join(chance.choices(letters, k=chance.randint(0, 6)))}" for name in names
        )
        path = "/v1/faqs" if number % 2 else "/v1/sections"
        statuses.add(await status_of(app, path, quote(query, safe="%&=+;?/'")))
    assert statuses <= {200, 400}
    assert 400 in statuses
