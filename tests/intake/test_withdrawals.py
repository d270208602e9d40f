"""Withdrawals: their effects, their limits, and concurrent operations of staff."""

import asyncio

import httpx
import pytest
from sqlalchemy import Engine

from data.schema import migrate, revert
from models.inbox import RequestNote
from tests.support.apps import set_status
from tests.support.clinic import CLOSURE
from tests.support.intake import PATH, bearer, count, post, problem
from tests.support.repetitions import repetitions
from tests.support.staff import INBOX, STAFF, change, note, opened, signed_in

pytestmark = pytest.mark.usefixtures("open_clinic")

CLOSING = {"state": "permanently_closed", "confirm": "permanently_closed"}
# The possible statuses of a withdrawal and the concurrent operation, in either order.
OUTCOMES = {
    "erasure": {(200, 412), (404, 204)},
    "move": {(200, 200), (200, 412)},
    "close-out": {(200, 201)},
}


@pytest.fixture
def staff(engine: Engine) -> dict[str, str]:
    return signed_in(engine)


@pytest.mark.parametrize("races", repetitions(8, soak=100))
@pytest.mark.parametrize("operation", OUTCOMES)
async def test_a_withdrawal_races_with_staff(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str], operation: str, races: int
) -> None:
    """A request withdrawn during an erasure, a change or a closure is withdrawn or erased."""
    for _ in range(races):
        accepted = await post(client)
        url, receipt = accepted.headers["Location"], bearer(accepted)
        withdrawn, other = await asyncio.gather(
            client.post(f"{url}/withdrawal", headers=receipt),
            call_of_staff(client, operation, accepted.json()["id"], staff),
        )
        assert (withdrawn.status_code, other.status_code) in OUTCOMES[operation]
        after = await client.get(url, headers=receipt)
        assert after.status_code == withdrawn.status_code
        assert after.status_code == 404 or after.json()["state"] == "withdrawn"
        if operation == "close-out":
            set_status(engine, state="open")


async def call_of_staff(
    client: httpx.AsyncClient, operation: str, request_id: str, staff: dict[str, str]
) -> httpx.Response:
    """Sends the concurrent operation."""
    if operation == "erasure":
        return await client.delete(f"{INBOX}/{request_id}", headers={**staff, "If-Match": '"1"'})
    if operation == "move":
        return await change(client, request_id, staff, version=1, state="contacted")
    return await client.post(f"{STAFF}/status-changes", json=CLOSING, headers=staff)


async def test_a_completed_request_is_not_withdrawn(
    client: httpx.AsyncClient, staff: dict[str, str]
) -> None:
    """A completed request is a record of care: its withdrawal is a 409 and erases nothing."""
    accepted = await post(client)
    request_id = accepted.json()["id"]
    for version, state in enumerate(("contacted", "scheduled", "completed"), start=1):
        await change(client, request_id, staff, version=version, state=state)
    refused = await client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
    document = problem(refused, 409, "request-ended")
    assert "ask the clinic" in document["detail"]
    assert document["closure"] == CLOSURE
    request = (await opened(client, request_id, staff)).json()
    assert (request["state"], request["version"]) == ("completed", 4)
    assert request["sent"]["name"] == "Ada"


@pytest.mark.parametrize("end", ["declined", "closed_out"])
async def test_other_ended_requests_can_be_withdrawn(
    client: httpx.AsyncClient, staff: dict[str, str], end: str
) -> None:
    """A declined or closed-out request is erased by a withdrawal."""
    accepted = await post(client)
    request_id = accepted.json()["id"]
    if end == "declined":
        await change(client, request_id, staff, version=1, state=end)
    else:
        await client.post(f"{STAFF}/status-changes", json=CLOSING, headers=staff)
    withdrawn = await client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
    request = (await opened(client, request_id, staff)).json()
    assert (request["sent"], request["end_reason"]) == (None, None)


async def test_no_note_after_a_withdrawal(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """A withdrawn request accepts no note; a declined one does."""
    accepted, declined = await post(client), await post(client)
    request_id, other = accepted.json()["id"], declined.json()["id"]
    await client.post(f"{PATH}/{request_id}/withdrawal", headers=bearer(accepted))
    refused = await note(client, request_id, staff, version=2, text="Called.")
    problem(refused, 409, "request-withdrawn")
    assert count(engine, RequestNote) == 0
    await change(client, other, staff, version=1, state="declined")
    assert (await note(client, other, staff, version=2, text="Called.")).status_code == 201


async def test_updated_at_of_a_receipt(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    """A receipt's `updated_at` changes with the state, and not with a note or an assignment."""
    accepted = await post(client)
    request_id, received_at = accepted.json()["id"], accepted.json()["received_at"]

    async def updated_at() -> str:
        receipt = await client.get(f"{PATH}/{request_id}", headers=bearer(accepted))
        updated: str = receipt.json()["updated_at"]
        return updated

    await note(client, request_id, staff, version=1, text="Called.")
    await change(client, request_id, staff, version=2, assigned_to="Ada")
    await change(client, request_id, staff, version=3, quarantined=True)
    assert await updated_at() == received_at
    assert (await opened(client, request_id, staff)).json()["updated_at"] > received_at
    await change(client, request_id, staff, version=4, state="contacted")
    moved_at = await updated_at()
    assert moved_at > received_at
    await note(client, request_id, staff, version=5, text="Called again.")
    assert await updated_at() == moved_at
    await client.post(f"{STAFF}/status-changes", json=CLOSING, headers=staff)
    assert await updated_at() > moved_at


async def test_the_migration_sets_when_a_state_changed(
    client: httpx.AsyncClient, engine: Engine, staff: dict[str, str]
) -> None:
    """The migration takes the time of the request if it is unchanged, or of its last change."""
    came, moved = await post(client), await post(client)
    await note(client, came.json()["id"], staff, version=1, text="Called.")
    last = await change(client, moved.json()["id"], staff, version=1, state="contacted")
    revert(engine, to="0003")
    migrate(engine)
    for accepted, expected in (
        (came, came.json()["received_at"]),
        (moved, last.json()["updated_at"]),
    ):
        receipt = await client.get(accepted.headers["Location"], headers=bearer(accepted))
        assert receipt.json()["updated_at"] == expected
