"""Each parameter and each field of a body with extreme and hostile values.

The operations come from the OpenAPI document, so new operations are tested without a change here.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.http.cursors import encode_text
from tests.support.apps import client_of, set_status
from tests.support.document import SCHEMAS, UNKNOWN_ID, operations
from tests.support.intake import post
from tests.support.staff import STAFF, signed_in

Schema = dict[str, Any]

# Control characters, bidirectional controls, and a very long text.
HOSTILE = ["\0", "a\0b", "a\x07b", "a\x7fb", "a\u202eb", "a\u2066b", "a\u2028b", "x" * 60_000]
WORDS = ["", " ", "%", "'; DROP TABLE staff_token;--", "\U0001f469\u200d\u2695\ufe0f"]
NUMBERS = [0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**14, 10**30]
NO_INTEGERS = ["1.0", "true", "10" * 15, "-1", "١٢", ""]
INSTANTS = [
    "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999+00:00", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
    "1899-12-31T23:59:59Z", "2030-02-30T00:00:00Z", "2030-01-01T00:00:00", "20300101T000000+00",
    "0001-01-01", "9999-12-31", "1893456000",
]  # fmt: skip
CURSORS = [
    *(encode_text(str(number)) for number in NUMBERS),
    *(encode_text(f"{instant} ={UNKNOWN_ID}") for instant in INSTANTS),
]
OTHER_TYPES: list[Any] = [
    True, 1.0, 10**30, [], {}, ["a\0b"], {"a": "\0"}, ["x"] * 10_000, ["admin"] * 5_000,
]  # fmt: skip
# Used instead of an operation's example if the example excludes some of the fields.
BODIES = {"createStatusChange": {"state": "temporarily_closed"}}
ONE_DOCUMENT = f"{STAFF}/documents/{{kind}}"
ANY_VERSION = ", ".join(f'"{version}"' for version in range(1, 500))


@pytest.fixture
async def staff(app: FastAPI, engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    """A client with all scopes; the clinic is open."""
    set_status(engine, state="open")
    async with client_of(app) as client:
        client.headers.update({**signed_in(engine), "If-Match": ANY_VERSION})
        yield client


def parameters(location: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method and path of each operation with a parameter in this location, and the parameter."""
    for method, path, operation in operations():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == location:
                yield method, path, parameter


def bodies() -> Iterator[tuple[str, str, str, dict[str, Any], Schema]]:
    """Name, method and path of each operation with a body, a valid body, and the fields."""
    for method, path, operation in operations():
        if "requestBody" in operation:
            [content] = operation["requestBody"]["content"].values()
            name = operation["operationId"]
            [example, *_] = content["examples"].values()
            body = BODIES.get(name, example["value"])
            yield name, method, path, body, fields_of(content["schema"], body)


def fields_of(schema: Schema, body: dict[str, Any]) -> Schema:
    """The fields of a body; of a tagged one, those of its kind."""
    schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if "discriminator" in schema:
        return fields_of({"$ref": schema["discriminator"]["mapping"][body["kind"]]}, body)
    properties: Schema = schema["properties"]
    return properties


def filled(path: str, **values: str) -> str:
    """A path with values for its parameters; unknown ones by default."""
    unknown = {"id": UNKNOWN_ID, "slug": UNKNOWN_ID, "kind": "section", "locale": "en-US"}
    return path.format_map({**unknown, "revision": "1", **values})


async def test_every_query_parameter_at_its_edges(staff: httpx.AsyncClient) -> None:
    """A query parameter is valid or a 400, on both databases; hostile text is always a 400."""
    wrong, tried = [], 0
    for method, path, parameter in parameters("query"):
        name, is_integer = parameter["name"], parameter["schema"].get("type") == "integer"
        refused = [*HOSTILE, *(NO_INTEGERS if is_integer else ())]
        edges = CURSORS if name == "cursor" else [*WORDS, *map(str, NUMBERS)]
        for value in [*refused, *edges]:
            # An operation that has no body ignores the empty one.
            url = f"{filled(path)}?{name}={quote(value)}"
            answer = await staff.request(method, url, json=None if method == "GET" else {})
            tried += 1
            if answer.status_code not in ({400} if value in refused else {200, 400, 404}):
                wrong.append((answer.status_code, path, name, value[:40]))
    assert wrong == []
    assert tried > 300


async def test_every_path_parameter_at_its_edges(staff: httpx.AsyncClient) -> None:
    """An impossible id is a 404, like an unknown one."""
    values = [v for v in [*HOSTILE, *NO_INTEGERS, *WORDS, *map(str, NUMBERS)] if v]
    for method, path, parameter in parameters("path"):
        for value in values:
            url = filled(path, **{parameter["name"]: quote(value, safe="")})
            # An operation that has a body reads its media type first.
            has_body = method in ("post", "put", "patch")
            answer = await staff.request(method, url, json={} if has_body else None)
            # A possible slug of an unknown document: the body is checked first.
            is_possible = has_body and parameter["name"] == "slug" and value.isalnum()
            allowed = {404, 422} if is_possible else {404}
            assert answer.status_code in allowed, (method, path, value[:40])


async def test_every_field_at_its_edges(staff: httpx.AsyncClient, engine: Engine) -> None:
    """A field is valid or a 422, on both databases; hostile text from staff is always a 422."""
    request_id = (await post(staff)).json()["id"]
    wrong, tried = [], 0
    for operation, method, path, body, fields in bodies():
        for name, schema in fields.items():
            for value, is_refused in values_of(schema, by_staff=path.startswith(STAFF)):
                url = filled(path, id=request_id)
                answer = await staff.request(method, url, json={**body, name: value})
                tried += 1
                allowed = {422} if is_refused else {200, 201, 409, 422}
                if path.startswith(ONE_DOCUMENT) and not is_refused:
                    # This document does not exist.
                    allowed = {404, 422}
                if answer.status_code not in allowed:
                    wrong.append((answer.status_code, operation, name, str(value)[:40]))
                # The answer is small, also with thousands of faults.
                assert len(answer.content) <= 16_384, (operation, name, str(value)[:40])
            set_status(engine, state="open")
    assert wrong == []
    assert tried > 300


def values_of(schema: Schema, *, by_staff: bool) -> Iterator[tuple[Any, bool]]:
    """Values for a field, each with whether it has to be refused."""
    variants = schema.get("anyOf", [schema])
    kinds = {variant.get("type") for variant in variants}
    is_instant = any(variant.get("format", "").startswith("date") for variant in variants)
    yield from ((text, by_staff) for text in HOSTILE)
    yield from ((number, False) for number in NUMBERS if "integer" in kinds)
    yield from ((text, True) for text in NO_INTEGERS if "integer" in kinds and text)
    yield from ((text, False) for text in (INSTANTS if is_instant else WORDS))
    yield from ((other, "integer" in kinds) for other in OTHER_TYPES)
