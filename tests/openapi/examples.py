"""The examples of the OpenAPI document, recorded from the service: `make examples`."""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.formats.json_ld import MEDIA_TYPE as JSON_LD
from api.pages.openapi import EXAMPLES_FILE
from api.server import prepare
from data.crypto import write_keyring
from data.database import writing
from data.notifications.webhooks import create_webhook
from data.outbox import announce
from models.audit import COMMAND_LINE
from models.delivery import WAITS, Delivery, DeliveryAttempt, DeliveryState, EventType
from models.values import utc_now
from models.webhook import WebhookCreate
from tests.openapi.document_examples import record_documents
from tests.support.apps import client_of, running, set_status, settings_in
from tests.support.health import READY, ready_again
from tests.support.intake import JSON, PATH, bearer
from tests.support.staff import STAFF, signed_in

MINIMAL = {
    "name": "Robin",
    "email": "robin@example.com",
    "topic": "prefer_not_to_say",
    "consent_to_contact": True,
    "form_version": 1,
}
FULL = {
    "name": "Robin",
    "email": "robin@example.com",
    "phone": "(503) 227-1212",
    "preferred_contact": "phone",
    "may_leave_voicemail": False,
    "best_time": "morning",
    "topic": "depression",
    "message": "I read about it on your site, and would like to know what a first visit is like.",
    "consent_to_contact": True,
    "form_version": 1,
}
_VARIABLE = [
    # A cursor of a list by time contains the time and the id of an item.
    (r'"next_cursor": "[\w-]+"', '"next_cursor": "A-CURSOR"'),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "AN-INSTANT"),
    (r'"\d{4}-\d\d-\d\d"', '"A-DAY"'),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "AN-ID"),
    (r"clinic_[0-9a-f]{12}_[\w-]{43}", "A-TOKEN"),
    (r'"[0-9a-f]{12}"', '"A-TOKEN-ID"'),
    (r"whsec_[\w+/=]{44}", "A-SECRET"),
    (r'"receipt_token": "[\w-]{43}"', '"receipt_token": "A-TOKEN"'),
]


class Recorder:
    """Collects answers by operation, status and media type."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.examples: dict[str, Any] = {}

    def keep(self, operation: str, name: str, summary: str, answer: httpx.Response) -> None:
        """Adds an answer as an example."""
        by_status = self.examples.setdefault(operation, {})
        by_type = by_status.setdefault(str(answer.status_code), {})
        named = by_type.setdefault(answer.headers["Content-Type"], {})
        named[name] = {"summary": summary, "value": answer.json()}

    async def read(
        self, operation: str, path: str, *, name: str = "shipped", summary: str, accept: str = "*/*"
    ) -> None:
        """Reads a path, and adds the answer as an example."""
        answer = await self.client.get(path, headers={"Accept": accept})
        assert answer.status_code == 200, answer.text
        self.keep(operation, name, summary, answer)

    def ask(self, operation: str, name: str, summary: str, body: object) -> None:
        """Adds the body of a request as an example."""
        by_type = self.examples.setdefault(operation, {}).setdefault("request", {})
        named = by_type.setdefault(JSON["Content-Type"], {})
        named[name] = {"summary": summary, "value": body}

    def shorten(self, operation: str, *lists: str) -> None:
        """Keeps only the first item of these lists in the operation's example."""
        [example] = self.examples[operation]["200"][JSON["Content-Type"]].values()
        for name in lists:
            del example["value"][name][1:]


async def record(folder: Path) -> dict[str, Any]:
    """All examples, recorded from a service in this folder."""
    async with running(folder) as app, client_of(app) as client:
        recorder = Recorder(client)
        await record_readiness(recorder, folder / "keyring.json")
        await record_reads(recorder)
        engine = app.state.runtime.engine
        day = utc_now().date() + timedelta(days=30)
        set_status(engine, state="temporarily_closed", reopens_on=day)
        await recorder.read("readStatus", "/v1/status", name="paused", summary="Temporarily closed")
        set_status(engine, state="open")
        await recorder.read("readStatus", "/v1/status", name="open", summary="Open")
        await record_request(recorder)
        set_status(engine, state="open", mode="waitlist")
        waiting = await client.post(PATH, json=MINIMAL)
        recorder.keep("createConsultationRequest", "waitlisted", "With a waiting list", waiting)
        await record_staff(recorder, engine, waiting.json()["id"])
        record_events(recorder, app, request_id=waiting.json()["id"])
        return recorder.examples


async def record_reads(recorder: Recorder) -> None:
    read = recorder.read
    await read("readService", "/", summary="With the clinic that is shipped")
    await read("readClinic", "/v1/clinic", summary="The clinic that is shipped")
    await read("readClinic", "/v1/clinic", summary="As `MedicalClinic`", accept=JSON_LD)
    await read("readStatus", "/v1/status", name="permanently_closed", summary="Permanently closed")
    await read("listStatusChanges", "/v1/status/history", summary="One change so far")
    await read("listSections", "/v1/sections?limit=1", summary="With `limit=1`: there is more")
    await read("readSection", "/v1/sections/what-is-ketamine", summary="What is ketamine?")
    await read("listFaqs", "/v1/faqs?limit=1", summary="With `limit=1`: there is more")
    await read("readFaq", "/v1/faqs/party-drug", summary="A question with its answer")
    await read("readBundle", "/v1/bundle", summary="Shortened to one section and one FAQ")
    recorder.shorten("readBundle", "sections", "faqs")
    await read("readConsultationRequestForm", f"{PATH}/form", summary="The form while closed")
    await read("readLiveness", "/health/live", summary="Alive")


async def record_readiness(recorder: Recorder, keyring: Path) -> None:
    """Records readiness first: later the service would have stored a result without the fault."""
    aside = keyring.rename(keyring.with_suffix(".aside"))
    answer = await recorder.client.get(READY)
    recorder.keep("readReadiness", "unavailable", "The keyring file is gone", answer)
    aside.rename(keyring)
    await ready_again(recorder.client)
    await recorder.read("readReadiness", READY, summary="Ready")


async def record_request(recorder: Recorder) -> None:
    recorder.ask("createConsultationRequest", "minimal", "What is needed", MINIMAL)
    recorder.ask("createConsultationRequest", "full", "Every field", FULL)
    accepted = await recorder.client.post(PATH, json=FULL)
    recorder.keep("createConsultationRequest", "received", "Stored for good", accepted)
    receipt, token = accepted.headers["Location"], bearer(accepted)
    read = await recorder.client.get(receipt, headers=token)
    recorder.keep("readConsultationRequest", "received", "Waiting to be read", read)
    withdrawn = await recorder.client.post(f"{receipt}/withdrawal", headers=token)
    recorder.keep("withdrawConsultationRequest", "withdrawn", "Taken back", withdrawn)


async def record_staff(recorder: Recorder, engine: Engine, request_id: str) -> None:
    staff = signed_in(engine)

    async def ask(
        operation: str,
        method: str,
        path: str,
        summary: str,
        body: object = None,
        *,
        tag: str = "",
        name: str = "usual",
    ) -> httpx.Response:
        headers = {**staff, **({"If-Match": tag} if tag else {})}
        answer = await recorder.client.request(method, f"{STAFF}{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        if body is not None:
            recorder.ask(operation, name, summary, body)
        recorder.keep(operation, name, summary, answer)
        return answer

    one = f"/consultation-requests/{request_id}"
    await ask("readStaffMe", "GET", "/me", "Somebody who may do everything")
    await ask("listInbox", "GET", "/consultation-requests?state=waitlisted", "Who waits")
    changes = {"state": "contacted", "assigned_to": "Front desk"}
    changed = await ask("changeConsultationRequest", "PATCH", one, "Called", changes, tag='"1"')
    text = {"text": "Left a message on the answering machine."}
    tag = changed.headers["ETag"]
    await ask("createNote", "POST", f"{one}/notes", "A note about the call", text, tag=tag)
    await ask("openConsultationRequest", "GET", one, "With a note")
    new = {"owner": "Front desk", "scopes": ["intake:read"], "expires_in_days": 30}
    made = await ask("createStaffToken", "POST", "/tokens", "For the front desk", new)
    await ask("revokeStaffToken", "DELETE", f"/tokens/{made.json()['id']}", "Revoked")
    await ask("listStaffTokens", "GET", "/tokens?limit=1", "With `limit=1`: there is more")
    hook = {"url": "https://hooks.example.org/clinic", "events": ["request.received"]}
    made = await ask("createWebhook", "POST", "/webhooks", "For new requests", hook)
    delivery_id = given_up(engine, webhook_id=made.json()["id"], request_id=request_id)
    await ask("listDeliveries", "GET", "/deliveries", "One that was given up")
    await ask("replayDelivery", "POST", f"/deliveries/{delivery_id}/replay", "Begun again")
    await ask("endWebhook", "DELETE", f"/webhooks/{made.json()['id']}", "Ended")
    await ask("listWebhooks", "GET", "/webhooks", "One that was ended")
    await record_documents(ask)
    now = utc_now()
    plan = {
        "state": "temporarily_closed",
        "effective_from": f"{now + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
        "reopens_on": (now + timedelta(days=60)).date().isoformat(),
        "reopen": True,
    }
    operation, path = "createStatusChange", "/status-changes"
    made = await ask(operation, "POST", path, "Closed for a month, later", plan, name="planned")
    closing = {"state": "permanently_closed", "confirm": "permanently_closed"}
    tried = "What closing for good would do"
    await ask(operation, "POST", f"{path}?dry_run=true", tried, closing, name="closing")
    planned = f"{path}/{made.json()['id']}"
    await ask("callOffStatusChange", "DELETE", planned, "A closure that is not meant any more")
    await ask("listStaffStatusChanges", "GET", f"{path}?limit=3", "One planned, one called off")
    await ask(operation, "POST", path, "Closing for good", closing, name="closing")
    await ask("listAuditEvents", "GET", "/audit-events?limit=3", "The newest three")


# For each event the state in its message, and the summary of the example.
EVENT_EXAMPLES = {
    EventType.REQUEST_RECEIVED: ("waitlisted", "With a waiting list"),
    EventType.REQUEST_CHANGED: ("contacted", "Staff has contacted the person"),
    EventType.REQUEST_WITHDRAWN: ("withdrawn", "Taken back"),
    EventType.STATUS_CHANGED: ("permanently_closed", "Closed for good"),
}


def record_events(recorder: Recorder, app: FastAPI, *, request_id: str) -> None:
    """Records the message of each event; the transaction is rolled back, so nothing is sent."""
    hook = WebhookCreate(url="https://hooks.example.org/clinic", events=list(EVENT_EXAMPLES))
    with Session(app.state.runtime.engine.execution_options(writes=True)) as session:
        made = create_webhook(
            session, webhook=hook, keyring=app.state.runtime.keyring, actor=COMMAND_LINE
        )
        for event, (state, summary) in EVENT_EXAMPLES.items():
            subject = "2" if event is EventType.STATUS_CHANGED else request_id
            announce(session, event=event, subjects=[subject], state=state)
            message = session.exec(
                select(Delivery.payload).where(
                    Delivery.webhook_id == made.id, Delivery.event == event
                )
            ).one()
            noun, verb = event.split(".")
            recorder.ask(f"{noun}{verb.capitalize()}", "usual", summary, json.loads(message))
        session.rollback()


def given_up(engine: Engine, *, webhook_id: str, request_id: str) -> str:
    """The id of a delivery after its last attempt; a pending one would be tried meanwhile."""
    now = utc_now()
    with writing(engine) as session:
        announce(session, event=EventType.REQUEST_RECEIVED, subjects=[request_id], state="received")
        session.flush()
        row = session.exec(select(Delivery).where(Delivery.webhook_id == webhook_id)).one()
        row.attempts, row.state = len(WAITS), DeliveryState.DEAD
        row.next_attempt_at, row.finished_at = None, now
        session.add(
            DeliveryAttempt(delivery_id=row.id, at=now, outcome="http_503", milliseconds=41)
        )
        return row.id


def settled(examples: dict[str, Any]) -> str:
    """The examples as text, with fixed values for those that differ on each recording."""
    text = json.dumps(examples, indent=1, ensure_ascii=False)
    for pattern, name in _VARIABLE:
        text = re.sub(pattern, name, text)
    return text


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    write_keyring(folder / "keyring.json", generated=True)
    prepare(settings_in(folder))
    examples = asyncio.run(record(folder))
    text = json.dumps(examples, indent=1, ensure_ascii=False)
    EXAMPLES_FILE.write_text(f"{text}\n", encoding="utf-8")
    shutil.rmtree(folder)
    sys.stdout.write(f"{EXAMPLES_FILE} has examples of {len(examples)} operations.\n")


if __name__ == "__main__":
    main()
