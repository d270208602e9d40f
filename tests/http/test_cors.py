"""Which origins may read what."""

from pathlib import Path

import httpx
import pytest

from tests.support.apps import client_of, running, set_status
from tests.support.commands import invoke
from tests.support.intake import PATH, bearer, post
from tests.support.staff import STAFF

# Decided before a database has anything to say that would differ from one kind to the other.
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
    asked: str | None = "content-type, idempotency-key, authorization",
) -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    if asked is not None:
        headers["Access-Control-Request-Headers"] = asked
    answer = await client.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer


def names(answer: httpx.Response, header: str) -> set[str]:
    return set(answer.headers[header].lower().split(", "))


@pytest.mark.parametrize("origin", [None, OURS, "null", "https://evil.test"])
async def test_everybody_may_read_what_is_public(
    client: httpx.AsyncClient, origin: str | None
) -> None:
    """A constant `*`, on errors too, so that caches may keep one answer for all origins."""
    headers = {"Origin": origin} if origin else {}
    for path in ("/", "/v1/status", "/v1/faqs", f"{PATH}/form", "/v1/bundle", "/openapi.json",
                 "/v1/nothing", "/v1/faqs?x=1", "/problems/gone"):  # fmt: skip
        answer = await client.get(path, headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" not in answer.headers.get("Vary", "")
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= EXPOSED


async def test_preflights_tell_what_is_allowed(client: httpx.AsyncClient) -> None:
    """Methods and headers of the path; a script may send a request with a key."""
    read = await preflight(client, "/v1/status", "GET")
    assert names(read, "Access-Control-Allow-Methods") == {"get", "head"}
    send = await preflight(client, PATH, "POST")
    assert "post" in names(send, "Access-Control-Allow-Methods")
    for answer in (read, send):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert names(answer, "Access-Control-Allow-Headers") >= ALLOWED


async def test_a_public_read_may_carry_any_header(client: httpx.AsyncClient) -> None:
    """Tracing and analytics libraries add headers of their own to every call of a page."""
    added = "traceparent,x-datadog-trace-id, X-Requested-With"
    for path in ("/v1/status", "/v1/bundle", f"{PATH}/form", "/openapi.json", "/v1/nothing"):
        told = await preflight(client, path, "GET", asked=added)
        assert names(told, "Access-Control-Allow-Headers") == {"*", *ALLOWED}
    for path, method in ((PATH, "POST"), (f"{STAFF}/me", "GET")):
        told = await preflight(client, path, method, asked=added)
        assert names(told, "Access-Control-Allow-Headers") >= ALLOWED
        assert not names(told, "Access-Control-Allow-Headers") & {"*", "traceparent"}
    told = await preflight(client, "/v1/status", "GET", asked=None)
    assert names(told, "Access-Control-Allow-Headers") == {"*", *ALLOWED}


async def test_by_default_any_site_may_send_a_request(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """The 201, the receipt, the withdrawal and the errors can be read by the page that asked."""
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


async def test_a_list_of_origins_is_kept_to(folder: Path) -> None:
    """A listed origin is named; no other is ever reflected; public reads stay open to all."""
    origins = ",".join([OURS, "https://other.example", *APPS])
    async with running(folder, cors_origins=origins) as app, client_of(app) as client:
        set_status(app.state.runtime.engine, state="open")
        for origin in origins.split(","):
            answer = await post(client, headers={"Origin": origin})
            assert answer.status_code == 201
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "Origin" in answer.headers["Vary"]
            told = await preflight(client, PATH, "POST", origin=origin)
            assert told.headers["Access-Control-Allow-Origin"] == origin
        for origin in HOSTILE:
            answer = await post(client, headers={"Origin": origin})
            assert "Access-Control-Allow-Origin" not in answer.headers, origin
            told = await preflight(client, PATH, "POST", origin=origin)
            assert "Access-Control-Allow-Origin" not in told.headers, origin
            public = await client.get("/v1/status", headers={"Origin": origin})
            assert public.headers["Access-Control-Allow-Origin"] == "*"


async def test_staff_is_for_listed_origins(folder: Path, client: httpx.AsyncClient) -> None:
    """No origin may use a staff path unless it is on the list."""
    path = "/v1/staff/me"
    assert "Access-Control-Allow-Origin" not in (await preflight(client, path, "GET")).headers
    async with running(folder, cors_origins=OURS) as app, client_of(app) as listed:
        told = await preflight(listed, path, "PATCH")
        assert told.headers["Access-Control-Allow-Origin"] == OURS
        assert names(told, "Access-Control-Allow-Methods") == {
            "get", "head", "post", "put", "patch", "delete",
        }  # fmt: skip
        assert names(told, "Access-Control-Allow-Headers") >= ALLOWED
        for origin in HOSTILE:
            told = await preflight(listed, path, "GET", origin=origin)
            assert "Access-Control-Allow-Origin" not in told.headers


@pytest.mark.parametrize(
    "origin",
    ["*", "https://*.clinic.example", "capacitor://*", "https://clinic.example:*", "null",
     "https://clinic.example/", "https://clinic.example/app", "capacitor://localhost/",
     "https://clinic.example?x", "https://clinic.example#x", "https://a:b@clinic.example",
     "https://", "file://", "clinic.example", "//clinic.example", "https:clinic.example",
     "https://clinic.example:443", "http://clinic.example:80", "https://clinic.example:0",
     "https://CLINIC.example", "https://klinik\u00e4.example", "https://clinic.example x"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_at_start(folder: Path, origin: str) -> None:
    """One line names the setting; what would never match, or match too much, is not accepted."""
    listed = f"{OURS}, {origin}"
    refused = invoke("status", "show", folder=folder, CLINIC_CORS_ORIGINS=listed)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "CLINIC_CORS_ORIGINS" in refused.stderr
    assert "clinic.example" not in refused.stderr


def test_origins_of_sites_and_apps_are_accepted(folder: Path) -> None:
    """A site's origin may have a port; an app's has a scheme of its own."""
    listed = ",".join([OURS, "https://clinic.example:8443", "http://[::1]:3000", *APPS])
    shown = invoke("status", "show", folder=folder, CLINIC_CORS_ORIGINS=listed)
    assert shown.exit_code == 0, shown.stderr
