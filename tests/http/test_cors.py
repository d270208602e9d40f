"""CORS: the origins that can read each kind of answer."""

from pathlib import Path

import httpx
import pytest

from tests.support.apps import client_of, running, set_status
from tests.support.commands import invoke
from tests.support.intake import PATH, bearer, post
from tests.support.staff import STAFF

# CORS does not depend on the kind of the database.
pytestmark = pytest.mark.database("sqlite")

ALLOWED = {"content-type", "idempotency-key", "authorization", "if-none-match", "if-match"}
EXPOSED = {
    "ETag", "Link", "Location", "Retry-After", "X-Request-ID", "RateLimit", "RateLimit-Policy",
}  # fmt: skip
OURS = "https://clinic.example"
APPS = ["capacitor://localhost", "ionic://localhost", "app://clinic", "http://localhost:5173"]
HOSTILE = [
    "null", "https://evilclinic.example", "https://clinic.example.evil.test",
    "http://clinic.example", "https://clinic.example:444", "https://clinic.example ",
    "https://CLINIC.example.", "*", "",
]  # fmt: skip


async def preflight(
    client: httpx.AsyncClient,
    path: str,
    method: str,
    *,
    origin: str = OURS,
    requested_headers: str | None = "content-type, idempotency-key, authorization",
) -> httpx.Response:
    """Sends a preflight, which must be answered with an empty 204."""
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    if requested_headers is not None:
        headers["Access-Control-Request-Headers"] = requested_headers
    answer = await client.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer


def names(answer: httpx.Response, header: str) -> set[str]:
    """The lower-case items of a header that is a list."""
    return set(answer.headers[header].lower().split(", "))


@pytest.mark.parametrize("origin", [None, OURS, "null", "https://evil.test"])
async def test_public_answers_allow_every_origin(
    client: httpx.AsyncClient, origin: str | None
) -> None:
    """Public answers and errors have a constant `*`, so that caches need one answer only."""
    headers = {"Origin": origin} if origin else {}
    for path in ("/", "/v1/status", "/v1/faqs", f"{PATH}/form", "/v1/bundle", "/openapi.json",
                 "/v1/nothing", "/v1/faqs?x=1", "/problems/gone"):  # fmt: skip
        answer = await client.get(path, headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" not in answer.headers.get("Vary", "")
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= EXPOSED


async def test_preflights(client: httpx.AsyncClient) -> None:
    """A preflight lists the methods and headers of the path."""
    read = await preflight(client, "/v1/status", "GET")
    assert names(read, "Access-Control-Allow-Methods") == {"get", "head"}
    send = await preflight(client, PATH, "POST")
    assert "post" in names(send, "Access-Control-Allow-Methods")
    for answer in (read, send):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert names(answer, "Access-Control-Allow-Headers") >= ALLOWED


async def test_a_public_read_may_carry_any_header(client: httpx.AsyncClient) -> None:
    """A public read allows any header, because tracing libraries add their own to each call."""
    added = "traceparent,x-datadog-trace-id, X-Requested-With"
    for path in ("/v1/status", "/v1/bundle", f"{PATH}/form", "/openapi.json", "/v1/nothing"):
        answer = await preflight(client, path, "GET", requested_headers=added)
        assert names(answer, "Access-Control-Allow-Headers") == {"*", *ALLOWED}
    for path, method in ((PATH, "POST"), (f"{STAFF}/me", "GET")):
        answer = await preflight(client, path, method, requested_headers=added)
        assert names(answer, "Access-Control-Allow-Headers") >= ALLOWED
        assert not names(answer, "Access-Control-Allow-Headers") & {"*", "traceparent"}
    answer = await preflight(client, "/v1/status", "GET", requested_headers=None)
    assert names(answer, "Access-Control-Allow-Headers") == {"*", *ALLOWED}


async def test_by_default_any_site_may_send_a_request(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """By default every origin can send a request and read all its answers."""
    headers = {"Origin": OURS}
    accepted = await post(client, headers=headers)
    location, token = accepted.headers["Location"], {**bearer(accepted), **headers}
    for answer in (
        accepted,
        await client.get(location, headers=token),
        await client.post(f"{location}/withdrawal", headers=token),
        await client.get(location, headers=headers),
        await post(client, b"{", headers=headers),
        await post(client, b" " * 70_000, headers=headers),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*", answer.status_code
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_listed_origins(folder: Path) -> None:
    """With a list only listed origins can send requests; public reads allow every origin."""
    origins = ",".join([OURS, "https://other.example", *APPS])
    async with running(folder, cors_origins=origins) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        for origin in origins.split(","):
            answer = await post(client, headers={"Origin": origin})
            assert answer.status_code == 201
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "Origin" in answer.headers["Vary"]
            answer = await preflight(client, PATH, "POST", origin=origin)
            assert answer.headers["Access-Control-Allow-Origin"] == origin
        for origin in HOSTILE:
            answer = await post(client, headers={"Origin": origin})
            assert "Access-Control-Allow-Origin" not in answer.headers, origin
            answer = await preflight(client, PATH, "POST", origin=origin)
            assert "Access-Control-Allow-Origin" not in answer.headers, origin
            public = await client.get("/v1/status", headers={"Origin": origin})
            assert public.headers["Access-Control-Allow-Origin"] == "*"


async def test_staff_paths_need_a_listed_origin(folder: Path, client: httpx.AsyncClient) -> None:
    """Staff paths allow listed origins only."""
    path = "/v1/staff/me"
    assert "Access-Control-Allow-Origin" not in (await preflight(client, path, "GET")).headers
    async with running(folder, cors_origins=OURS) as app, client_of(app) as listed:
        answer = await preflight(listed, path, "PATCH")
        assert answer.headers["Access-Control-Allow-Origin"] == OURS
        assert names(answer, "Access-Control-Allow-Methods") == {
            "get", "head", "post", "put", "patch", "delete",
        }  # fmt: skip
        assert names(answer, "Access-Control-Allow-Headers") >= ALLOWED
        for origin in HOSTILE:
            answer = await preflight(listed, path, "GET", origin=origin)
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["*", "https://*.clinic.example", "capacitor://*", "https://clinic.example:*", "null",
     "https://clinic.example/", "https://clinic.example/app", "capacitor://localhost/",
     "https://clinic.example?x", "https://clinic.example#x", "https://a:b@clinic.example",
     "https://", "file://", "clinic.example", "//clinic.example", "https:clinic.example",
     "https://clinic.example:443", "http://clinic.example:80", "https://clinic.example:0",
     "https://CLINIC.example", "https://klinik\u00e4.example", "https://clinic.example x"],
)  # fmt: skip
def test_invalid_origins_are_refused(folder: Path, origin: str) -> None:
    """An invalid origin, or a pattern, is reported in one line with the name of the setting."""
    listed = f"{OURS}, {origin}"
    refused = invoke("status", "show", folder=folder, CLINIC_CORS_ORIGINS=listed)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "CLINIC_CORS_ORIGINS" in refused.stderr
    assert "clinic.example" not in refused.stderr


def test_origins_of_sites_and_apps_are_accepted(folder: Path) -> None:
    """Origins of sites may have a port; origins of apps have their own scheme."""
    listed = ",".join([OURS, "https://clinic.example:8443", "http://[::1]:3000", *APPS])
    shown = invoke("status", "show", folder=folder, CLINIC_CORS_ORIGINS=listed)
    assert shown.exit_code == 0, shown.stderr
