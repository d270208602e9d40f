"""The 422 of an invalid body: its messages, and the SQL statements that it needs."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from tests.support.apps import set_status
from tests.support.intake import JSON, PATH, body_of, faults, post, problem
from tests.support.staff import STAFF, signed_in
from tests.support.statements import statements

pytestmark = pytest.mark.database("sqlite")

STAFF_BODIES = [
    ("tokens", {"owner": "", "form_version": 7}),
    ("webhooks", {"url": 5, "name": ""}),
    ("status-changes", {"state": "open", "message": "m" * 5000, "form_version": 7}),
]


@pytest.mark.parametrize(("noun", "body"), STAFF_BODIES)
async def test_a_staff_422_reads_only_the_token(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, noun: str, body: dict[str, object]
) -> None:
    """A staff 422 executes one statement, for the token, and has no messages of the form."""
    staff = signed_in(engine)
    assert (await client.get(f"{STAFF}/me", headers=staff)).status_code == 200
    await app.state.runtime.access.finish()
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    with statements(engine) as executed:
        answer = await client.post(f"{STAFF}/{noun}", json=body, headers=staff)
    assert ("#/form_version", "form_version.outdated") not in faults(answer)
    assert not {fault["detail"] for fault in answer.json()["errors"]} & set(messages.values())
    assert len(executed) == 1, executed
    assert "FROM staff_token" in executed[0]


async def test_an_intake_422_reads_the_form_once(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """The first 422 reads state and form; later ones read nothing until a change."""
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    for is_known in (False, True, True):
        with statements(engine) as executed:
            answer = await post(client, body_of(name="", form_version=7))
        found = faults(answer)
        assert found == [("#/name", "name.required"), ("#/form_version", "form_version.outdated")]
        assert [f["detail"] for f in answer.json()["errors"]] == [messages[c] for _, c in found]
        assert bool(executed) is not is_known, executed
    set_status(engine, state="permanently_closed")
    problem(await post(client, body_of(name="")), 410, "clinic-permanently-closed")


async def test_malformed_json_executes_no_statement(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """Once state and form are known, malformed JSON is refused without a statement."""
    assert (await client.get("/v1/status")).status_code == 200
    assert (await post(client)).status_code == 201
    with statements(engine) as executed:
        problem(await client.post(PATH, content=b"{", headers=JSON), 400, "malformed-json")
        problem(await client.post(PATH, content=b"", headers=JSON), 400, "malformed-json")
    assert executed == []
