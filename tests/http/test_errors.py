"""Errors of every path: 404, 405 and 500, security headers, and the pages of problems."""

import uuid

import httpx
import pytest
from fastapi import FastAPI

from api.problems.catalogue import ALL
from tests.support.apps import client_of
from tests.support.intake import PATH, problem

# These answers do not depend on the kind of the database.
pytestmark = pytest.mark.database("sqlite")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/", "GET, HEAD"),
        ("/v1/status", "GET, HEAD"),
        ("/v1/sections/exercises", "GET, HEAD"),
        (f"{PATH}/form", "GET, HEAD"),
        (PATH, "POST"),
        (f"{PATH}/x", "GET, HEAD"),
        (f"{PATH}/x/withdrawal", "POST"),
        ("/docs", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405(client: httpx.AsyncClient, path: str, allow: str) -> None:
    """A wrong method, also an unknown one, gets a 405 with the exact `Allow`."""
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X"):
        if method in allow.split(", "):
            continue
        answer = await client.request(method, path)
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["Allow"] == allow, method
        assert method not in answer.text


@pytest.mark.shared
@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v2/status", "/v1/status/", "/V1/status", "//v1/status", "/v1//status",
     "/v1/status%00", "/redoc", "/favicon.ico", "/docs/", "/docs/none.js", "/docs/..%2fmain.py",
     "/health", "/%ff", "/%F0%9F%A6%8A", "/problems", "/problems/none", f"{PATH}/", "/.env"],
)  # fmt: skip
async def test_an_unknown_path_is_404(client: httpx.AsyncClient, path: str) -> None:
    """An unknown path is 404; a slash is never added or removed."""
    problem(await client.get(path), 404, "not-found")


async def test_an_unhandled_exception_is_500(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """The 500 has CORS headers and the id in the log, and not the text of the exception."""

    def fail() -> None:
        raise RuntimeError("what a patient typed")

    app.add_api_route("/fails", fail)
    async with client_of(app) as client:
        answer = await client.get("/fails", headers={"Origin": "https://a.example"})
    document = problem(answer, 500, "internal-error")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    logged = caplog.text
    assert document["instance"].removeprefix("urn:uuid:") in logged
    assert "RuntimeError at" in logged
    assert "tests/http/test_errors.py" in logged
    assert "typed" not in logged + answer.text


async def test_request_ids(client: httpx.AsyncClient) -> None:
    """Each answer that is not from the cache has a new id; an id that was sent is ignored."""
    given = str(uuid.uuid4())
    seen = set()
    for path in ("/v1/status", "/v1/nothing", "/v1/nothing", "/health/live"):
        answer = await client.get(path, headers={"X-Request-ID": given})
        seen.add(str(uuid.UUID(answer.headers["X-Request-ID"])))
    assert len(seen) == 4
    assert given not in seen
    again = await client.get("/v1/status", headers={"X-Request-ID": given})
    assert "X-Request-ID" not in again.headers


async def test_security_headers(client: httpx.AsyncClient) -> None:
    """Every answer forbids MIME sniffing, framing and referrers."""
    for path in ("/", "/v1/faqs", "/docs", "/docs/start.js", "/problems/gone", "/nothing"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.shared
@pytest.mark.parametrize("slug", ALL)
async def test_every_problem_has_a_page(client: httpx.AsyncClient, slug: str) -> None:
    """Each problem type has a page that explains it, without scripts or other hosts."""
    answer = await client.get(f"/problems/{slug}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for word in (ALL[slug].title, ALL[slug].detail, str(ALL[slug].status)):
        assert word in answer.text
    assert "://" not in answer.text.replace("http://www.w3.org", "")
    assert "<script" not in answer.text
    assert "$" not in answer.text


async def test_the_documentation_needs_no_other_host(client: httpx.AsyncClient) -> None:
    """The page `/docs` and all its files are served by the service."""
    page = (await client.get("/docs")).text
    assert "//" not in page.replace("</", "")
    for name, media_type in {
        "start.js": "text/javascript", "swagger-ui-bundle.js": "text/javascript",
        "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png", "problem.css": "text/css",
    }.items():  # fmt: skip
        answer = await client.get(f"/docs/{name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(media_type)
        assert answer.content
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
