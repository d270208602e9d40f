"""Consultation requests, sent and read."""

import json
import uuid
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, func
from sqlmodel import Session, SQLModel, select

from data.database import writing
from data.intake.sealed import open_request
from models.consultation_request import ConsultationRequest
from models.inbox import RequestNote

PATH = "/v1/consultation-requests"
JSON = {"Content-Type": "application/json"}
VALID: dict[str, Any] = {
    "name": "Ada",
    "email": "ada@example.com",
    "topic": "other",
    "consent_to_contact": True,
    "form_version": 1,
}


def body_of(**changes: object) -> bytes:
    """A valid request with changes; `...` leaves a field out."""
    fields = {**VALID, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def request_named(name: str) -> dict[str, Any]:
    """The fields of a valid request from a patient with this name."""
    return {**VALID, "name": name}


async def post(
    client: httpx.AsyncClient,
    content: bytes | None = None,
    *,
    key: str | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Sends a consultation request, a valid one by default; `key` is its idempotency key."""
    given = {**JSON, **(headers or {}), **({"Idempotency-Key": key} if key else {})}
    return await client.post(PATH, content=body_of() if content is None else content, headers=given)


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of an answer; asserts its status, its type and its headers."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document.get("type")) == (status, f"/problems/{slug}"), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert document["status"] == status
    assert document["instance"] == f"urn:uuid:{uuid.UUID(answer.headers['X-Request-ID'])}"
    return document


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """Pointer and code of each fault in a 422."""
    document = problem(answer, 422, "invalid-request")
    return [(fault["pointer"], fault["code"]) for fault in document["errors"]]


def bearer(accepted: httpx.Response) -> dict[str, str]:
    """The `Authorization` header with the receipt token of an accepted request."""
    return {"Authorization": f"Bearer {accepted.json()['receipt_token']}"}


def count(engine: Engine, table: type[SQLModel] = ConsultationRequest) -> int:
    """The number of rows of a table."""
    with Session(engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def opened(app: FastAPI, accepted: httpx.Response) -> dict[str, Any] | None:
    """What the patient typed in an accepted request, decrypted; `None` once it is erased."""
    with Session(app.state.runtime.engine) as session:
        row = session.get_one(ConsultationRequest, accepted.json()["id"])
        return open_request(row, keyring=app.state.runtime.keyring)


Sealed = TypeVar("Sealed", ConsultationRequest, RequestNote)


def damage(engine: Engine, table: type[Sealed], row_id: str) -> None:
    """Flips one bit of the sealed value in a row, as a failing disk can do."""
    with writing(engine) as session:
        row = session.get_one(table, row_id)
        assert row.sealed is not None
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        session.add(row)


CONSENT = "The practice may call me or write to me about this form."
