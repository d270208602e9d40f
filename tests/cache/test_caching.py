"""Entity tags and freshness of public answers, and HSTS."""

import re
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.support.apps import client_of, set_status
from tests.support.intake import bearer, post
from tests.support.public_reads import NEVER_KEPT, STATES, TEXTS

# These headers do not depend on the kind of the database.
pytestmark = pytest.mark.database("sqlite")

STRICT = "max-age=31536000"
reads = pytest.mark.parametrize("path", TEXTS + STATES)


@pytest.mark.shared
@reads
async def test_a_read_has_validator_and_freshness(client: httpx.AsyncClient, path: str) -> None:
    """A read has a strong `ETag`, `Vary`, and a `max-age` that is shorter for a state."""
    answer = await client.get(path)
    assert answer.status_code == 200
    assert re.fullmatch(r'"[A-Za-z0-9_-]{22}(-gzip|-br)?"', answer.headers["ETag"])
    assert "Accept-Encoding" in answer.headers["Vary"].split(", ")
    seconds = 60 if path in TEXTS else 10
    assert answer.headers["Cache-Control"] == (
        f"public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=86400"
    )
    assert answer.links["status"]["url"] == "/v1/status"
    assert answer.links["service-desc"]["url"] == "/openapi.json"
    assert (await client.get(path)).headers["ETag"] == answer.headers["ETag"]


@pytest.mark.shared
@reads
async def test_if_none_match(client: httpx.AsyncClient, path: str) -> None:
    """A read answers 304 to its own tag in each valid form and to `*`, and otherwise 200."""
    fresh = await client.get(path)
    tag = fresh.headers["ETag"]
    for value in (tag, f"W/{tag}", "*", f'"a", {tag}', f'W/"a",{tag} , "b"', f'"a,b", {tag}'):
        answer = await client.get(path, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content) == (304, b""), value
        for name in ("ETag", "Cache-Control", "Vary", "Link"):
            assert answer.headers[name] == fresh.headers[name]
        assert "Content-Type" not in answer.headers
    several = [("If-None-Match", '"a"'), ("If-None-Match", tag)]
    assert (await client.get(path, headers=several)).status_code == 304
    for value in ('"a"', "", "a", tag.strip('"'), f'"{tag}', f"w/{tag[:-1]}", '"*"', ",", '"'):
        answer = await client.get(path, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content) == (200, fresh.content), value


@pytest.mark.shared
@pytest.mark.parametrize("path", TEXTS + STATES + NEVER_KEPT)
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    """HEAD answers with the status and headers of GET, without a body; also with a 304."""
    get, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    own = ("x-request-id",) if get.status_code == 200 else ("x-request-id", "content-length")
    for name in set(get.headers) | set(head.headers):
        assert name in own or head.headers[name] == get.headers[name], name
    if "ETag" in get.headers:
        headers = {"If-None-Match": get.headers["ETag"]}
        assert (await client.head(path, headers=headers)).status_code == 304


@pytest.mark.shared
@pytest.mark.parametrize("path", NEVER_KEPT)
async def test_health_and_errors_are_not_cached(client: httpx.AsyncClient, path: str) -> None:
    """Health and errors are `no-store` and have no entity tag."""
    answer = await client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


@pytest.mark.shared
@pytest.mark.parametrize("path", TEXTS + STATES + NEVER_KEPT)
async def test_strict_transport_security(client: httpx.AsyncClient, path: str) -> None:
    """`Strict-Transport-Security` is on each answer over TLS, once, and on no other answer."""
    for scheme, expected in [("https", [STRICT]), ("http", []), ("https", [STRICT])]:
        for method in ("GET", "HEAD", "PUT"):
            answer = await client.request(method, f"{scheme}://clinic.example{path}")
            assert answer.headers.get_list("Strict-Transport-Security") == expected, method
            if "ETag" in answer.headers:
                tag = {"If-None-Match": answer.headers["ETag"]}
                same = await client.get(f"{scheme}://clinic.example{path}", headers=tag)
                assert same.status_code == 304
                assert same.headers.get_list("Strict-Transport-Security") == expected


@pytest.mark.parametrize(("peer", "expected"), [("127.0.0.1", [STRICT]), ("192.0.2.1", [])])
async def test_the_scheme_is_trusted_from_a_listed_proxy(
    app: FastAPI, peer: str, expected: list[str]
) -> None:
    """`X-Forwarded-Proto` counts only if it comes from a listed proxy."""
    # `serve` wraps the application in this when proxies are listed.
    behind: Any = ProxyHeadersMiddleware(cast(Any, app), ["127.0.0.1"])
    async with client_of(behind, peer) as client:
        for path in ("/v1/status", "/v1/status", "/v1/nothing"):
            answer = await client.get(path, headers={"X-Forwarded-Proto": "https"})
            assert answer.headers.get_list("Strict-Transport-Security") == expected


async def test_answers_about_a_request_are_not_cached(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """The 201, the receipt and the withdrawal are `no-store` and have no entity tag."""
    accepted = await post(client)
    location, headers = accepted.headers["Location"], bearer(accepted)
    answers = [
        accepted,
        await client.get(location, headers=headers),
        await client.get(location, headers={**headers, "If-None-Match": "*"}),
        await client.post(f"{location}/withdrawal", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers


async def test_a_tag_changes_with_the_bytes_only(client: httpx.AsyncClient, engine: Engine) -> None:
    """A status change changes an entity tag exactly when the body changes."""
    before = {path: await client.get(path) for path in TEXTS + STATES}
    set_status(engine, state="open")
    for path, old in before.items():
        new = await client.get(path)
        same = old.content == new.content
        assert (old.headers["ETag"] == new.headers["ETag"]) is same, path
        assert same is (path == "/openapi.json" or path.startswith(("/docs", "/p")))
        asked = await client.get(path, headers={"If-None-Match": old.headers["ETag"]})
        assert asked.status_code == (304 if same else 200)
