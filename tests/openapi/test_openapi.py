"""The OpenAPI document describes what the service does."""

import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import select

from api.pages.openapi import EXAMPLES_FILE
from data.database import writing
from data.documents.status_history import list_planned
from main import create_app
from models.consultation_request import ConsultationRequest
from models.delivery import Channel, Delivery, DeliveryState, EventType
from models.document import SINGLE_KINDS, PublicationType
from models.values import utc_now
from models.webhook import Webhook
from tests.openapi import document_scenarios
from tests.openapi.examples import record, settled
from tests.support.apps import client_of, new_app, running, set_status, settings_in
from tests.support.clinic import clinic_content
from tests.support.databases import copied, take_away
from tests.support.document import DOCUMENT, SCHEMAS, UNKNOWN_ID, operations, validate
from tests.support.documents import withdraw
from tests.support.intake import PATH, body_of, damage, post
from tests.support.staff import STAFF, signed_in

PUBLIC = {
    "readService", "readClinic", "readStatus", "listStatusChanges", "listSections", "readSection",
    "listFaqs", "readFaq", "readBundle", "readConsultationRequestForm", "createConsultationRequest",
    "readLiveness", "readReadiness", "readProblem",
}  # fmt: skip


def messages() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, event and operation of each webhook message."""
    for event, methods in DOCUMENT["webhooks"].items():
        for method, message in methods.items():
            yield method, event, message


def test_every_operation_is_public_by_list_or_guarded() -> None:
    """Each operation is either on the list of public ones or guarded."""
    for _, path, operation in operations():
        listed = operation["operationId"] in PUBLIC
        assert listed is not bool(operation.get("security")), path
    assert {operation["operationId"] for _, _, operation in operations()} >= PUBLIC


def test_operation_ids_are_names() -> None:
    """Each operation has a unique camelCase id and a summary; each parameter has a description."""
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for _, path, operation in operations():
        assert re.fullmatch("[a-z]+([A-Z][a-z]+)+", operation["operationId"])
        assert operation["summary"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])


def test_there_is_one_error_shape() -> None:
    """Each error is a problem document with a valid example; readiness is the only exception.

    Its 503 has the same shape as its 200.
    """
    assert "ValidationError" not in str(DOCUMENT)
    for _, path, operation in operations():
        for status, response in operation["responses"].items():
            if int(status) < 400 or (path, status) == ("/health/ready", "503"):
                continue
            assert list(response["content"]) == ["application/problem+json"], (path, status)
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
            for example in content["examples"].values():
                validate(example["value"], content["schema"])
                assert example["value"]["status"] == int(status)


@pytest.mark.shipped
async def test_examples_came_from_the_service(folder: Path) -> None:
    """The recorded examples equal what the service answers now; `make examples` records them."""
    recorded = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
    assert settled(recorded) == settled(await record(folder))


def test_everything_is_described() -> None:
    """Operations, fields, answers, headers and schemas have descriptions."""
    silent = [name for name, schema in SCHEMAS.items() if not schema.get("description")]
    for name, schema in SCHEMAS.items():
        fields = schema.get("properties", {})
        # A reference without a description has that of its target.
        silent += [
            f"{name}.{field}"
            for field, schema in fields.items()
            if "description" not in schema and "$ref" not in schema
        ]
    for method, path, operation in operations():
        assert operation["tags"][0] in [tag["name"] for tag in DOCUMENT["tags"]]
        for status, response in operation["responses"].items():
            described = [response, *response.get("headers", {}).values()]
            if not all(item.get("description", "Successful Response") for item in described):
                silent.append(f"{method} {path} {status}")
            is_json = any(kind.endswith("json") for kind in response.get("content", {}))
            if is_json:
                for content in response["content"].values():
                    assert content["examples"], (path, status)
    assert silent == []


def test_every_example_fits_its_schema() -> None:
    """Each example of a request or an answer is valid for its schema."""
    for _, name, operation in (*operations(), *messages()):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (content for body in bodies for content in body.get("content", {}).values()):
            for example in content.get("examples", {}).values():
                assert example["summary"], name
                validate(example["value"], content["schema"])


def test_every_event_is_a_webhook_of_the_document() -> None:
    """Each event has a webhook with payload, signature headers and an example."""
    assert set(DOCUMENT["webhooks"]) == {
        "request.received", "request.changed", "request.withdrawn", "status.changed",
    } == set(SCHEMAS["EventType"]["enum"])  # fmt: skip
    names = [operation["operationId"] for _, _, operation in (*operations(), *messages())]
    assert len(set(names)) == len(names)
    for _, event, message in messages():
        assert {parameter["name"] for parameter in message["parameters"]} == {
            "webhook-id", "webhook-timestamp", "webhook-signature",
        }  # fmt: skip
        assert set(message["responses"]) == {"204", "410", "default"}
        assert message["summary"]
        [example] = message["requestBody"]["content"]["application/json"]["examples"].values()
        assert example["value"]["type"] == event


@pytest.mark.parametrize(
    ("public_url", "server"),
    [(None, "/"), ("https://api.clinic.example/", "https://api.clinic.example"),
     ("https://clinic.example/api", "https://clinic.example/api")],
)  # fmt: skip
def test_the_server_is_the_public_address(public_url: str | None, server: str) -> None:
    """The document names the public address as its server, if the setting has one."""
    settings = settings_in(Path("/nonexistent"), public_url=public_url)
    [told] = create_app(settings).openapi()["servers"]
    assert told["url"] == server


async def test_the_page_leads_to_three_first_calls(client: httpx.AsyncClient) -> None:
    """All links of the introduction work."""
    links = re.findall(r"\]\((/[^)]*)\)", DOCUMENT["info"]["description"])
    assert len(links) >= 3
    for link in links:
        assert (await client.get(link)).status_code == 200, link


INPUTS = {
    "ConsultationRequestCreate", "StaffTokenCreate", "RequestChange", "NoteCreate",
    "StatusChangeRequest", "WebhookCreate", *document_scenarios.INPUTS,
}  # fmt: skip


def test_answers_have_no_optional_keys() -> None:
    """Each field of an answer is always present, so client types need no `?`."""
    outputs = {
        name: schema
        for name, schema in SCHEMAS.items()
        if not name.startswith("Problem") and name not in INPUTS
    }
    assert len(outputs) > 20
    for name, schema in outputs.items():
        if "properties" in schema:
            assert set(schema["required"]) == set(schema["properties"]), name


def test_no_schema_is_a_union_with_an_array() -> None:
    """No union has an array and another type, for which Java's generator makes invalid code."""
    for union in unions(SCHEMAS):
        kinds = [variant.get("type") for variant in union]
        assert "array" not in kinds or set(kinds) == {"array", "null"}, union


def unions(node: object) -> Iterator[list[dict[str, Any]]]:
    if isinstance(node, dict):
        yield from (node[word] for word in ("anyOf", "oneOf") if isinstance(node.get(word), list))
        yield from (union for value in node.values() for union in unions(value))
    elif isinstance(node, list):
        yield from (union for value in node for union in unions(value))


# The request that causes each documented answer, by operation and status.

Scenario = Callable[["Stage"], Awaitable[httpx.Response]]
GETS = {
    "readService": "/",
    "readClinic": "/v1/clinic",
    "readStatus": "/v1/status",
    "listStatusChanges": "/v1/status/history",
    "listSections": "/v1/sections",
    "readSection": "/v1/sections/exercises",
    "listFaqs": "/v1/faqs",
    "readFaq": "/v1/faqs/may-it-hurt",
    "readBundle": "/v1/bundle",
    "readConsultationRequestForm": f"{PATH}/form",
    "readLiveness": "/health/live",
    "readReadiness": "/health/ready",
    "readProblem": "/problems/gone",
}


class Stage:
    """A service with an open clinic, and helpers that change its state."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, folder: Path) -> None:
        self.app, self.client, self.folder = app, client, folder
        self.engine: Engine = app.state.runtime.engine

    async def accepted(self) -> tuple[str, dict[str, str]]:
        answer = await post(self.client)
        token = answer.json()["receipt_token"]
        return answer.headers["Location"], {"Authorization": f"Bearer {token}"}

    def webhook(self) -> str:
        with writing(self.engine) as session:
            row = Webhook(
                id=str(uuid.uuid4()), url="https://hook.example/", events=["status.changed"],
                sealed_secret=None, created_at=utc_now(), ended_at=None,
            )  # fmt: skip
            session.add(row)
            return row.id

    def delivery(self, state: DeliveryState = DeliveryState.DEAD) -> str:
        """The id of the only delivery; the first call creates it."""
        with writing(self.engine) as session:
            row = session.exec(select(Delivery)).first() or Delivery(
                id=str(uuid.uuid4()), channel=Channel.CLINIC_EMAIL, webhook_id=None,
                event=EventType.REQUEST_RECEIVED, subject=UNKNOWN_ID, payload="{}", state=state,
                created_at=utc_now(), next_attempt_at=None, finished_at=None,
            )  # fmt: skip
            session.add(row)
            return row.id

    def planned(self) -> str:
        """The id of the only planned status change; the first call creates it."""
        with writing(self.engine) as session:
            rows = list_planned(session)
        if rows:
            return str(rows[0].id)
        at = utc_now() + timedelta(days=1)
        set_status(self.engine, state="temporarily_closed", effective_from=at)
        return self.planned()

    def take_the_database_away(self) -> None:
        take_away(self.folder, used_by=self.engine)

    def withdraw_texts(self) -> None:
        for key in clinic_content().contents:
            if key.kind not in SINGLE_KINDS:
                withdraw(self.engine, key.kind, key.slug, reason="It was out of date.")

    def redirect(self, kind: str, current: str) -> None:
        withdraw(self.engine, kind, "former", how=PublicationType.MOVED, moved_to=current)


def get(path: str) -> Scenario:
    return lambda stage: stage.client.get(path)


def send(content: bytes, **headers: str) -> Scenario:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda stage: post(stage.client, content, headers=named)


def without_database(request: Scenario) -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        stage.take_the_database_away()
        return await request(stage)

    return play


def gone(path: str) -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        stage.withdraw_texts()
        return await stage.client.get(path)

    return play


def moved(kind: str, path: str, current: str) -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        stage.redirect(kind, current)
        return await stage.client.get(f"{path}/former")

    return play


def in_state(**change: object) -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        set_status(stage.engine, **change)
        return await post(stage.client)

    return play


async def over_the_rate(stage: Stage) -> httpx.Response:
    app = new_app(settings_in(stage.folder, intake_rate="1 per hour"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await post(client)
        return await post(client)


def receipt(method: str, path: str = "", query: str = "") -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        location, token = await stage.accepted()
        return await stage.client.request(method, f"{location}{path}{query}", headers=token)

    return play


SCENARIOS: dict[tuple[str, str], Scenario] = {
    **{(name, "200"): get(path) for name, path in GETS.items()},
    **{(name, "400"): get(f"{path}?unknown=1") for name, path in GETS.items()},
    **{
        (name, "503"): without_database(get(path))
        for name, path in GETS.items()
        if name not in ("readLiveness", "readProblem")
    },
    ("readSection", "308"): moved("section", "/v1/sections", "exercises"),
    ("readSection", "404"): get("/v1/sections/unknown"),
    ("readSection", "410"): gone("/v1/sections/exercises"),
    ("readFaq", "308"): moved("faq", "/v1/faqs", "may-it-hurt"),
    ("readFaq", "404"): get("/v1/faqs/unknown"),
    ("readFaq", "410"): gone("/v1/faqs/may-it-hurt"),
    ("readProblem", "404"): get("/problems/unknown"),
    ("createConsultationRequest", "201"): send(body_of()),
    ("createConsultationRequest", "400"): send(b"{"),
    ("createConsultationRequest", "409"): in_state(state="open", mode="paused"),
    ("createConsultationRequest", "410"): in_state(state="permanently_closed"),
    ("createConsultationRequest", "413"): send(b" " * 65537),
    ("createConsultationRequest", "415"): send(body_of(), Content_Type="text/plain"),
    ("createConsultationRequest", "422"): send(b"{}"),
    ("createConsultationRequest", "429"): over_the_rate,
    ("createConsultationRequest", "503"): without_database(send(body_of())),
    ("readConsultationRequest", "200"): receipt("GET"),
    ("readConsultationRequest", "400"): receipt("GET", query="?unknown=1"),
    ("readConsultationRequest", "404"): get(f"{PATH}/{UNKNOWN_ID}"),
    ("readConsultationRequest", "503"): without_database(get(f"{PATH}/{UNKNOWN_ID}")),
    ("withdrawConsultationRequest", "200"): receipt("POST", "/withdrawal"),
    ("withdrawConsultationRequest", "400"): receipt("POST", "/withdrawal", "?unknown=1"),
    ("withdrawConsultationRequest", "404"): lambda stage: stage.client.post(
        f"{PATH}/{UNKNOWN_ID}/withdrawal"
    ),
    ("withdrawConsultationRequest", "503"): without_database(
        lambda stage: stage.client.post(f"{PATH}/{UNKNOWN_ID}/withdrawal")
    ),
}


# What staff does: path, body and whether it changes something that exists, by operation.
STAFF_READS = {
    "readStaffMe": "/me",
    "listStaffTokens": "/tokens",
    "listInbox": "/consultation-requests",
    "exportConsultationRequests": "/consultation-requests/export",
    "openConsultationRequest": "/consultation-requests/{id}",
    "listWebhooks": "/webhooks",
    "listDeliveries": "/deliveries",
    "listAuditEvents": "/audit-events",
    "listStaffStatusChanges": "/status-changes",
}
STAFF_WRITES: dict[str, tuple[str, str, object]] = {
    "createStaffToken": ("POST", "/tokens", {"owner": "Desk", "scopes": ["admin"]}),
    "revokeStaffToken": ("DELETE", "/tokens/{token}", None),
    "changeConsultationRequest": (
        "PATCH", "/consultation-requests/{id}", {"state": "contacted"},
    ),
    "createNote": ("POST", "/consultation-requests/{id}/notes", {"text": "Called."}),
    "eraseConsultationRequest": ("DELETE", "/consultation-requests/{id}", None),
    "createStatusChange": ("POST", "/status-changes", {"state": "open"}),
    "callOffStatusChange": ("DELETE", "/status-changes/{change}", None),
    "createWebhook": (
        "POST", "/webhooks", {"url": "https://hook.example/", "events": ["status.changed"]},
    ),
    "endWebhook": ("DELETE", "/webhooks/{webhook}", None),
    "replayDelivery": ("POST", "/deliveries/{delivery}/replay", None),
}  # fmt: skip
SUCCESS = {"createStaffToken": "201", "createNote": "201", "eraseConsultationRequest": "204",
           "createStatusChange": "201", "createWebhook": "201"}  # fmt: skip


def by_staff(
    operation: str,
    *scopes: str,
    query: str = "",
    tag: str | None = '"1"',
    known: bool = True,
    change: str | None = None,
    content: bytes | None = None,
    media_type: str = "application/json",
    token: str | None = None,
    away: bool = False,
) -> Scenario:
    """The call as it succeeds, with one thing about it that is different."""
    method, template, body = STAFF_WRITES.get(operation, ("GET", "", None))
    path = template or STAFF_READS[operation]

    async def play(stage: Stage) -> httpx.Response:
        location, _ = await stage.accepted()
        staff = signed_in(stage.engine, *scopes)
        ids = {
            "{id}": location.rpartition("/")[2] if known else UNKNOWN_ID,
            "{token}": staff["Authorization"].split("_")[1] if known else "0" * 12,
            "{webhook}": stage.webhook() if known else UNKNOWN_ID,
            "{delivery}": stage.delivery() if known else UNKNOWN_ID,
            "{change}": change or (stage.planned() if known else "999999999"),
        }
        url = f"{STAFF}{path}{query}"
        for name, value in ids.items():
            url = url.replace(name, value)
        headers = {**staff, **({"If-Match": tag} if tag else {})}
        if token is not None:
            headers["Authorization"] = token
        sent = content if content is not None else json.dumps(body).encode() if body else None
        if sent is not None:
            headers["Content-Type"] = media_type
        if away:
            stage.take_the_database_away()
        return await stage.client.request(method, url, content=sent, headers=headers)

    return play


def again_and_again(operation: str) -> Scenario:
    async def play(stage: Stage) -> httpx.Response:
        # Ten a minute, and a minute may begin in between.
        for _ in range(25):
            answer = await by_staff(operation, token="Bearer wrong")(stage)
            if answer.status_code == 429:
                break
        return answer

    return play


async def completed(stage: Stage) -> httpx.Response:
    location, token = await stage.accepted()
    with writing(stage.engine) as session:
        session.get_one(ConsultationRequest, location.rpartition("/")[2]).state = "completed"
    return await stage.client.post(f"{location}/withdrawal", headers=token)


async def note_about_a_withdrawn_one(stage: Stage) -> httpx.Response:
    location, token = await stage.accepted()
    await stage.client.post(f"{location}/withdrawal", headers=token)
    url = f"{STAFF}/consultation-requests/{location.rpartition('/')[2]}/notes"
    headers = {**signed_in(stage.engine), "If-Match": '"2"'}
    return await stage.client.post(url, json={"text": "Called."}, headers=headers)


async def damaged(stage: Stage) -> httpx.Response:
    location, _ = await stage.accepted()
    request_id = location.rpartition("/")[2]
    damage(stage.engine, ConsultationRequest, request_id)
    staff = signed_in(stage.engine)
    return await stage.client.get(f"{STAFF}/consultation-requests/{request_id}", headers=staff)


def not_allowed(stage: Stage) -> Awaitable[httpx.Response]:
    content = json.dumps({"state": "completed"}).encode()
    return by_staff("changeConsultationRequest", content=content)(stage)


def cancelled(stage: Stage) -> Awaitable[httpx.Response]:
    stage.delivery(DeliveryState.CANCELLED)
    return by_staff("replayDelivery")(stage)


FAULTY_BODIES = {
    "413": {"content": b" " * 65537},
    "415": {"media_type": "text/plain"},
    "422": {"content": b'{"unknown": 1}'},
}
ONE_REQUEST = ("changeConsultationRequest", "createNote", "eraseConsultationRequest")
STAFF_OPERATIONS = (*STAFF_READS, *STAFF_WRITES)
SCENARIOS |= {
    **{(name, SUCCESS.get(name, "200")): by_staff(name) for name in STAFF_OPERATIONS},
    **{(name, "400"): by_staff(name, query="?unknown=1") for name in STAFF_OPERATIONS},
    **{(name, "401"): by_staff(name, token="Bearer wrong") for name in STAFF_OPERATIONS},
    **{(name, "403"): by_staff(name, "content:write") for name in STAFF_OPERATIONS[1:]},
    **{(name, "429"): again_and_again(name) for name in STAFF_OPERATIONS},
    **{(name, "503"): by_staff(name, away=True) for name in STAFF_OPERATIONS},
    **{(name, "404"): by_staff(name, known=False)
       for name in (*ONE_REQUEST, "openConsultationRequest", "revokeStaffToken", "endWebhook",
                    "replayDelivery", "callOffStatusChange")},
    **{(name, "412"): by_staff(name, tag='"7"') for name in ONE_REQUEST},
    **{(name, "428"): by_staff(name, tag=None) for name in ONE_REQUEST},
    **{
        (name, status): by_staff(name, **different)  # type: ignore[arg-type] # by name
        for name, (_, _, body) in STAFF_WRITES.items()
        if body
        for status, different in FAULTY_BODIES.items()
    },
    ("changeConsultationRequest", "409"): not_allowed,
    ("createNote", "409"): note_about_a_withdrawn_one,
    ("withdrawConsultationRequest", "409"): completed,
    ("openConsultationRequest", "500"): damaged,
    ("replayDelivery", "409"): cancelled,
    ("createStatusChange", "200"): by_staff("createStatusChange", query="?dry_run=true"),
    ("callOffStatusChange", "409"): by_staff("callOffStatusChange", change="1"),
}  # fmt: skip
SCENARIOS |= document_scenarios.SCENARIOS
DOCUMENTED = {
    (operation["operationId"], status): response
    for _, _, operation in operations()
    for status, response in operation["responses"].items()
}


def test_every_documented_answer_has_a_scenario() -> None:
    """Each documented answer has a scenario, and each scenario a documented answer."""
    assert set(SCENARIOS) == set(DOCUMENTED)


# These answers do not depend on the kind of the database.
ADDRESSES = count(1)
EARLY = {"400", "401", "403", "413", "415", "422", "429"}


@pytest.mark.parametrize(
    ("operation", "status"), sorted(key for key in SCENARIOS if key[1] not in EARLY)
)
async def test_every_documented_answer_is_given(
    app: FastAPI,
    client: httpx.AsyncClient,
    folder: Path,
    open_clinic: None,
    operation: str,
    status: str,
) -> None:
    """Each scenario gets its status, in the documented media type and shape."""
    await be_answered(Stage(app, client, folder), operation, status)


def with_empty_strings(operation_id: str, body: dict[str, Any]) -> bytes:
    """The body, with an empty string in each optional field that it leaves out."""
    [schema] = (
        operation["requestBody"]["content"]["application/json"]["schema"]
        for _, _, operation in operations()
        if operation["operationId"] == operation_id
    )
    fields = SCHEMAS[schema["$ref"].rpartition("/")[2]]["properties"]
    return json.dumps({**dict.fromkeys(fields, ""), **body}).encode()


@pytest.mark.parametrize("operation", [name for name, (_, _, body) in STAFF_WRITES.items() if body])
async def test_an_empty_string_is_not_given(
    app: FastAPI, client: httpx.AsyncClient, folder: Path, open_clinic: None, operation: str
) -> None:
    """In each staff body an empty string in an optional field counts as absent."""
    body = STAFF_WRITES[operation][2]
    assert isinstance(body, dict)
    content = with_empty_strings(operation, body)
    answer = await by_staff(operation, content=content)(Stage(app, client, folder))
    assert answer.status_code == int(SUCCESS.get(operation, "200")), answer.text
    assert '""' not in answer.text


@pytest.fixture(scope="module")
async def refusing(
    prepared_open: Path,
    database_kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[FastAPI, Path]]:
    """One application for all early refusals, which do not depend on each other."""
    folder = tmp_path_factory.mktemp("refusing")
    with copied(prepared_open, folder, database_kind, request):
        async with running(folder) as app:
            yield app, folder


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("operation", "status"), sorted(key for key in SCENARIOS if key[1] in EARLY)
)
async def test_every_documented_refusal_is_given(
    refusing: tuple[FastAPI, Path], operation: str, status: str
) -> None:
    """The scenarios of refusals that need no database get their status and shape."""
    app, folder = refusing
    # Rates count for each address.
    async with client_of(app, f"192.0.2.{next(ADDRESSES)}") as client:
        await be_answered(Stage(app, client, folder), operation, status)


async def be_answered(stage: Stage, operation: str, status: str) -> None:
    answer = await SCENARIOS[operation, status](stage)
    assert answer.status_code == int(status), answer.text
    documented = DOCUMENTED[operation, status].get("content")
    if not documented:
        assert answer.content == b""
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    schema = documented[media_type].get("schema")
    if media_type.endswith("json"):
        validate(answer.json(), schema)
