"""Key rotation while the service runs."""

import json
import threading
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.crypto import Keyring, header_of, read_document
from data.database import open_database, writing
from data.documents.form import find_form_version
from data.documents.status import find_status
from data.intake.requests import NewRequest, record_requests
from models.audit import AuditEvent, AuditSecret
from models.consultation_request import ConsultationRequest
from models.idempotency import IdempotencyRecord
from models.inbox import RequestNote
from models.sent_request import ConsultationRequestCreate
from models.webhook import Webhook
from tests.support.apps import set_status
from tests.support.audit import open_with_audit
from tests.support.backups import refused
from tests.support.commands import invoke
from tests.support.databases import url_of
from tests.support.intake import JSON, PATH, VALID, body_of, damage, opened, post
from tests.support.keys import active_key, keys, let_a_minute_pass
from tests.support.process import serving, started
from tests.support.staff import INBOX, STAFF, note, signed_in

MANY = 600


async def test_a_key_is_replaced(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A key is added and activated, all values are resealed, and the old key is retired."""
    staff = signed_in(engine)
    old = active_key(folder)
    first = await post(client, body_of(message="before"), key="before-the-rotation")
    request_id = first.json()["id"]
    await note(client, request_id, staff, version=1, text="A note.")
    hook = {"url": "https://hook.example/", "events": ["status.changed"]}
    await client.post(f"{STAFF}/webhooks", json=hook, headers=staff)

    new = keys(folder, "add").split()[0]
    assert active_key(folder) == old
    assert keys(folder, "rotate") == f"{new} is active; 4 values were resealed.\n"
    assert keys(folder, "rotate") == f"{new} is active; 0 values were resealed.\n"
    assert keys(folder, "list").splitlines() == [
        f"{old}  inactive  seals 0",
        f"{new}  active    seals 4",
    ]
    with Session(engine) as session:
        for column in (
            ConsultationRequest.sealed,
            RequestNote.sealed,
            Webhook.sealed_secret,
            AuditSecret.sealed,
        ):
            sealed = session.exec(select(column)).one()
            assert sealed is not None
            assert sealed.startswith(header_of(new))
    # The running service has the new key, and opens values of the old one.
    read = (await client.get(f"{INBOX}/{request_id}", headers=staff)).json()
    assert (read["sent"]["message"], read["notes"][0]["text"]) == ("before", "A note.")
    again = await post(client, body_of(message="before"), key="before-the-rotation")
    assert again.content == first.content
    second = await post(client, body_of(message="after"))
    read = (await client.get(f"{INBOX}/{second.json()['id']}", headers=staff)).json()
    assert read["possible_duplicates"] == [request_id]

    assert "wait a minute" in refused("keys", "retire", old, folder=folder)
    let_a_minute_pass(engine)
    assert "it is the active key" in refused("keys", "retire", new, folder=folder)
    assert "no such key" in refused("keys", "retire", "unknown", folder=folder)
    assert "--forget-answers" in refused("keys", "retire", old, folder=folder)
    assert keys(folder, "retire", old, "--forget-answers") == f"{old} is retired.\n"
    assert list(read_document(folder / "keyring.json").keys) == [new]
    assert opened(app, second) is not None
    assert (await client.get(f"{INBOX}/{request_id}", headers=staff)).status_code == 200
    with Session(engine) as session:
        assert session.exec(select(IdempotencyRecord)).all() == []
        events = session.exec(select(AuditEvent).where(col(AuditEvent.action).startswith("key.")))
        assert [(event.action, event.subject) for event in events] == [
            ("key.added", new),
            ("key.rotated", new),
            ("key.retired", old),
        ]


async def test_a_key_that_still_seals_something(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A key that seals a value cannot be retired, even after a rotation."""
    old = active_key(folder)
    keys(folder, "add")
    keys(folder, "rotate")
    document = json.loads((folder / "keyring.json").read_text())
    (folder / "keyring.json").write_text(json.dumps({**document, "active": old}))
    await post(client)
    keys(folder, "rotate")
    (folder / "keyring.json").write_text(json.dumps({**document, "active": old}))
    await post(client)
    (folder / "keyring.json").write_text(json.dumps(document))
    let_a_minute_pass(engine)
    assert "run `keys rotate` again" in refused("keys", "retire", old, folder=folder)


async def test_a_damaged_row_does_not_stop_a_rotation(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """The rotation names a damaged row, reseals all others, and exits with 1."""
    ids = sorted([(await post(client)).json()["id"] for _ in range(3)])
    damage(engine, ConsultationRequest, ids[1])
    new = keys(folder, "add").split()[0]
    # Two requests and the secret of the audit are resealed.
    for sealed_anew in (3, 0):
        done = invoke("keys", "rotate", folder=folder)
        assert done.exit_code == 1
        assert done.stdout == f"{new} is active; {sealed_anew} values were resealed.\n"
        [line] = done.stderr.splitlines()
        assert f"consultation_request {ids[1]} cannot be opened" in line
    assert sealed_with(engine, new) == 2


def test_keys_in_the_environment_are_changed_there(folder: Path) -> None:
    """With keys in CLINIC_KEYRING the commands change nothing, and say so."""
    before = (folder / "keyring.json").read_bytes()
    done = invoke("keys", "add", folder=folder, CLINIC_KEYRING=before.decode())
    assert (done.exit_code, done.stderr) == (
        1, "clinic-api: the keys are in CLINIC_KEYRING: change them there\n",
    )  # fmt: skip
    assert (folder / "keyring.json").read_bytes() == before


def fill(engine: Engine, folder: Path) -> list[str]:
    """Stores many requests, and returns their ids."""
    keyring = Keyring(read_document(folder / "keyring.json"))
    with writing(engine) as session:
        status, form = find_status(session), find_form_version(session)
        new_requests = [
            NewRequest(ConsultationRequestCreate.model_validate({**VALID, "name": f"N {number}"}))
            for number in range(MANY)
        ]
        answers = record_requests(
            session,
            new_requests=new_requests,
            status=status,
            current=form,
            forms={form.version: form},
            keyring=keyring,
        )
    return [answer.id for answer in answers]


def test_a_killed_rotation(folder: Path) -> None:
    """A rotation can be killed and repeated, while all reads and writes succeed."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    staff = signed_in(engine)
    ids = fill(engine, folder)
    answers: list[int] = []
    with serving(folder, workers=2) as service:
        over = threading.Event()

        def read_and_write() -> None:
            with service.client() as client:
                while not over.is_set():
                    one = ids[len(answers) % MANY]
                    answers.append(client.get(f"{INBOX}/{one}", headers=staff).status_code)
                    answers.append(client.post(PATH, content=body_of(), headers=JSON).status_code)

        client_thread = threading.Thread(target=read_and_write)
        client_thread.start()
        new = killed_in_the_middle(engine, folder)
        keys(folder, "rotate")
        over.set()
        client_thread.join()
        keys(folder, "rotate")
        with Session(engine) as session:
            total = len(session.exec(select(ConsultationRequest.id)).all())
        assert sealed_with(engine, new) == total
        with service.client(headers=staff) as client:
            for one in ids[:: MANY // 20]:
                assert client.get(f"{INBOX}/{one}").status_code == 200
    assert len(answers) > 5
    assert set(answers) == {200, 201}
    engine.dispose()


def killed_in_the_middle(engine: Engine, folder: Path) -> str:
    """Kills a rotation when some requests are resealed and others not; returns the new key."""
    # On a busy machine the rotation may end before this process sees its begin.
    for _ in range(10):
        new = keys(folder, "add").split()[0]
        with started("keys", "rotate", folder=folder) as command:
            while not sealed_with(engine, new) and command.process.poll() is None:
                time.sleep(0.005)
        if 0 < sealed_with(engine, new) < MANY:
            return new
    raise AssertionError("no rotation was killed before its end")


def sealed_with(engine: Engine, key_id: str) -> int:
    """The number of requests that are sealed with this key."""
    with Session(engine) as session:
        sealed = session.exec(select(ConsultationRequest.sealed)).all()
    return sum(bool(text and text.startswith(header_of(key_id))) for text in sealed)


@pytest.mark.database("sqlite")
def test_two_added_keys(folder: Path) -> None:
    """Of two added keys the newest becomes active; the other can be retired at once."""
    first = keys(folder, "add").split()[0]
    second = keys(folder, "add").split()[0]
    assert keys(folder, "rotate").startswith(second)
    engine = open_database(url_of(folder))
    let_a_minute_pass(engine)
    engine.dispose()
    keys(folder, "retire", first)
    assert first not in read_document(folder / "keyring.json").keys
