"""The examples of the operations of documents, recorded from the service."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Protocol

import httpx

from models.values import utc_now

PATH = "/documents/faq/party-drug/en-US"
CONTENT = {
    "question": "Is there parking at the clinic?",
    "position": 200,
    "topic": "clinic",
    "answer": "The clinic's published information does not say.",
    "answered": False,
}
NEW = {"kind": "faq", "slug": "parking", "locale": "en-US", "content": CONTENT}


class Ask(Protocol):
    """Makes a call as staff, and adds its body and its answer as examples."""

    def __call__(
        self,
        operation: str,
        method: str,
        path: str,
        summary: str,
        body: object = None,
        *,
        tag: str = "",
    ) -> Awaitable[httpx.Response]: ...


async def record_documents(ask: Ask) -> None:
    """Records each operation. What is public does not change: everything is planned."""
    path = "/documents/faq/parking/en-US"
    made = await ask("createStaffDocument", "POST", "/documents", "A new FAQ", NEW)
    tag = made.headers["ETag"]
    body = {"kind": "faq", "content": {**CONTENT, "position": 201}, "note": "After the others."}
    saved = await ask("saveStaffDocument", "PUT", path, "Another position", body, tag=tag)
    begins = f"{utc_now() + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    plan = {"revision": 2, "from": begins, "change": "major", "note": "Patients asked for it."}
    url, tag = f"{path}/publications", saved.headers["ETag"]
    planned = await ask("publishDocument", "POST", url, "A planned publication", plan, tag=tag)
    await ask("listStaffDocuments", "GET", "/documents?state=planned", "One that is planned")
    await ask("readStaffDocument", "GET", path, "An FAQ that is planned")
    await ask("listDocumentRevisions", "GET", f"{path}/revisions", "Two revisions")
    await ask("readDocumentRevision", "GET", f"{path}/revisions/1", "The first revision")
    url = f"{path}/publications/{planned.json()['id']}"
    tag = planned.headers["ETag"]
    called_off = await ask("callOffDocumentPublication", "DELETE", url, "Called off", tag=tag)
    await ask("listDocumentPublications", "GET", f"{path}/publications", "One that was called off")
    tag = called_off.headers["ETag"]
    await ask("blankRevision", "DELETE", f"{path}/revisions/1", "Without its content", tag=tag)
    tag = (await ask("readStaffDocument", "GET", PATH, "An FAQ that is live")).headers["ETag"]
    gone = {"type": "gone", "reason": "The text is out of date.", "from": begins}
    url = f"{PATH}/withdrawals"
    await ask("withdrawStaffDocument", "POST", url, "A planned withdrawal", gone, tag=tag)
