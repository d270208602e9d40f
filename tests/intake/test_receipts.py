"""The receipt of a consultation request, and the withdrawal by its token."""

import asyncio
import statistics
import time
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session

from data.database import count_writers, writing
from models.consultation_request import ConsultationRequest
from tests.support.apps import let_clinic_close, set_status
from tests.support.databases import files_of, kind_of
from tests.support.intake import PATH, bearer, opened, post, problem

FIELDS = ["id", "state", "received_at", "updated_at", "retention_until", "next_step"]


async def test_a_receipt(client: httpx.AsyncClient, open_clinic: None) -> None:
    """A receipt has exactly the fields of the contract, the times of the 201, and is not cached."""
    accepted = (await post(client)).json()
    headers = {"Authorization": f"bearer {accepted['receipt_token']}"}
    answer = await client.get(f"{PATH}/{accepted['id']}", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json()) == FIELDS
    assert answer.json() == {
        **{name: accepted[name] for name in FIELDS if name != "updated_at"},
        "updated_at": accepted["received_at"],
    }
    head = await client.head(f"{PATH}/{accepted['id']}", headers=headers)
    assert (head.status_code, head.content) == (200, b"")


async def test_a_withdrawal_erases_what_was_typed(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None, folder: Path
) -> None:
    """A withdrawal erases the sealed text; a second one changes nothing."""
    accepted = await post(client)
    with Session(app.state.runtime.engine) as session:
        sealed = session.get_one(ConsultationRequest, accepted.json()["id"]).sealed
    assert sealed is not None
    ciphertext = sealed[-40:]
    assert ciphertext in b"".join(files_of(folder).values())

    location = accepted.headers["Location"]
    answer = await client.post(f"{location}/withdrawal", headers=bearer(accepted))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert list(document) == FIELDS
    assert (document["state"], document["next_step"]["code"]) == ("withdrawn", "withdrawn")
    assert document["received_at"] == accepted.json()["received_at"]
    assert document["updated_at"] > document["received_at"]
    assert document["updated_at"].endswith("Z")

    assert opened(app, accepted) is None
    if kind_of(folder) == "sqlite":
        # PostgreSQL keeps the sealed value in dead rows and its log until they are removed.
        assert ciphertext not in b"".join(files_of(folder).values())
    again = await client.post(f"{location}/withdrawal", headers=bearer(accepted))
    assert (again.status_code, again.json()) == (200, document)
    assert (await client.get(location, headers=bearer(accepted))).json() == document


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("HEAD", ""), ("POST", "/withdrawal")])
async def test_every_wrong_receipt_gets_the_same_answer(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None, method: str, suffix: str
) -> None:
    """A wrong, foreign or missing token and an unknown id get one and the same 404."""
    accepted, other = await post(client), await post(client)
    own, token = accepted.json()["id"], accepted.json()["receipt_token"]
    unknown = str(uuid.uuid4())
    tries: list[tuple[str, str | None]] = [
        (own, None), (own, ""), (own, "Bearer"), (own, "Bearer wrong"), (own, f"Basic {token}"),
        (own, token), (own, f"Bearer {token}x"), (own, f"Bearer {token.swapcase()}"),
        (own, bearer(other)["Authorization"]), (unknown, f"Bearer {token}"), (unknown, None),
        (own.upper(), f"Bearer {token}"), (own[:-1], f"Bearer {token}"), ("x", None),
        (f"{own}%00", f"Bearer {token}"), ("%00", f"Bearer {token}"), ("' OR 1=1 --", None),
    ]  # fmt: skip
    seen = set()
    for request_id, authorization in tries:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await client.request(method, f"{PATH}/{request_id}{suffix}", headers=headers)
        sent = dict(answer.headers)
        instance = sent.pop("x-request-id")
        seen.add((answer.status_code, answer.text.replace(instance, ""), tuple(sent.items())))
    assert len(seen) == 1
    if method != "HEAD":
        problem(answer, 404, "not-found")
    assert opened(app, accepted) is not None


async def test_wrong_receipts_take_the_same_time(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """The median processor times of three kinds of wrong receipts differ by less than 1 ms."""
    accepted = await post(client)
    location = accepted.headers["Location"]
    tries = {
        "wrong": (location, {"Authorization": "Bearer " + "x" * 43}),
        "missing": (location, {}),
        "unknown": (f"{PATH}/{uuid.uuid4()}", bearer(accepted)),
    }
    times: dict[str, list[float]] = {name: [] for name in tries}
    for _ in range(50):
        for name, (path, headers) in tries.items():
            begun = time.process_time()
            assert (await client.get(path, headers=headers)).status_code == 404
            times[name].append(time.process_time() - begun)
    medians = [statistics.median(taken) for taken in times.values()]
    assert max(medians) - min(medians) < 0.001


async def test_the_next_step_depends_on_the_clinic(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """The next step of an open request names a closure; that of an ended one does not."""
    accepted = await post(client)
    location = accepted.headers["Location"]
    expected = [
        ({"state": "temporarily_closed"}, "clinic_temporarily_closed"),
        ({"state": "open"}, "received"),
        ({"state": "open", "mode": "waitlist"}, "received"),
        (None, "clinic_permanently_closed"),
    ]
    texts = set()
    for change, code in expected:
        if change is None:
            let_clinic_close(engine)
        else:
            set_status(engine, **change)
        answer = (await client.get(location, headers=bearer(accepted))).json()
        assert (answer["state"], answer["next_step"]["code"]) == ("received", code)
        texts.add(answer["next_step"]["text"])
    assert len(texts) == 3
    withdrawn = await client.post(f"{location}/withdrawal", headers=bearer(accepted))
    assert withdrawn.json()["next_step"]["code"] == "withdrawn"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("contacted", "clinic_permanently_closed"),
        ("scheduled", "clinic_permanently_closed"),
        ("waitlisted", "clinic_permanently_closed"),
        ("completed", "completed"),
        ("declined", "declined"),
        ("closed_out", "closed_out"),
    ],
)
async def test_each_state_has_its_next_step(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, state: str, code: str
) -> None:
    """The next step names the state; an open request of a closed clinic has the closure's step."""
    accepted = await post(client)
    location, headers = accepted.headers["Location"], bearer(accepted)
    with writing(engine) as session:
        session.get_one(ConsultationRequest, accepted.json()["id"]).state = state
    assert (await client.get(location, headers=headers)).json()["next_step"]["code"] == state
    let_clinic_close(engine)
    assert (await client.get(location, headers=headers)).json()["next_step"]["code"] == code


async def test_a_wrong_receipt_needs_no_slot(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None
) -> None:
    """While all slots for writers are taken, a wrong withdrawal gets its 404 at once.

    This is so for a malformed id too. A valid withdrawal waits for a slot.
    """
    accepted = await post(client)
    location, right = accepted.headers["Location"], bearer(accepted)
    tries = [
        (location, {"Authorization": "Bearer wrong"}),
        (location, {}),
        (f"{PATH}/{uuid.uuid4()}", right),
        (f"{PATH}/x", right),
    ]
    async with AsyncExitStack() as taken:
        for _ in range(count_writers(app.state.runtime.engine)):
            await taken.enter_async_context(app.state.runtime.write_queue.slot())
        waiting = asyncio.create_task(client.post(f"{location}/withdrawal", headers=right))
        for path, headers in tries:
            problem(await client.post(f"{path}/withdrawal", headers=headers), 404, "not-found")
        assert not waiting.done()
    assert (await waiting).json()["state"] == "withdrawn"
