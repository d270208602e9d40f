"""The keyring file under a running service, and the commands that change it."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.server import CannotStart, open_keyring
from data.crypto import KeyringDocument, header_of, new_key, read_document, write_keyring
from data.database import open_database, writing
from models.audit import AuditEvent
from models.consultation_request import ConsultationRequest
from models.sealing_key import SealingKey
from models.values import utc_now
from tests.support.apps import client_of, running, settings_in
from tests.support.commands import invoke
from tests.support.databases import bring_back, take_away, url_of
from tests.support.health import READY, failed_checks, not_ready, ready_again
from tests.support.intake import count, post, problem
from tests.support.keys import keyring_of, with_another_key
from tests.support.process import serving
from tests.support.staff import INBOX, note, signed_in
from tests.support.waiting import wait_for, wait_until

Spoil = Callable[[Path], object]


def make_foreign(file: Path) -> None:
    """Another valid keyring, which opens nothing that is here."""
    file.unlink()
    write_keyring(file, generated=True)


def make_counterfeit(file: Path) -> None:
    """A keyring with the right id and the wrong secret."""
    document = json.loads(file.read_text())
    document["keys"] = dict.fromkeys(document["keys"], new_key()[1])
    file.write_text(json.dumps(document))


def make_empty(file: Path) -> None:
    file.write_bytes(b"")


SPOILT = pytest.mark.parametrize("spoil", [make_foreign, make_counterfeit, make_empty, Path.unlink])


def sealed_by(engine: Engine, key_id: str) -> list[bool]:
    with Session(engine) as session:
        sealed = session.exec(select(ConsultationRequest.sealed)).all()
    return [bool(text and text.startswith(header_of(key_id))) for text in sealed]


@SPOILT
async def test_a_file_that_does_not_fit_is_not_taken(
    app: FastAPI,
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    folder: Path,
    log: pytest.LogCaptureFixture,
    spoil: Spoil,
) -> None:
    """The old keys stay in use, one line says why, and readiness names the check."""
    file, staff = keyring_of(folder), signed_in(engine)
    used, right = read_document(file).active, file.read_bytes()
    ids = [(await post(client)).json()["id"]]
    spoil(file)
    for _ in range(3):
        answer = await post(client)
        assert answer.status_code == 201
        ids.append(answer.json()["id"])
    for request_id in ids:
        assert (await client.get(f"{INBOX}/{request_id}", headers=staff)).status_code == 200
    assert all(sealed_by(engine, used))
    assert await failed_checks(client) == ["keys"]
    assert len([line for line in log.messages if "the previous keys stay in use" in line]) == 1

    file.write_bytes(right)

    await ready_again(client)
    assert (await post(client)).status_code == 201
    assert all(sealed_by(engine, used))
    assert open_keyring(engine, settings_in(folder)).active.id == used


async def test_a_changed_file_is_noticed_without_a_request(
    client: httpx.AsyncClient,
    open_clinic: None,
    folder: Path,
    log: pytest.LogCaptureFixture,
) -> None:
    """Within ten seconds a line says that it does not fit, and another one that it fits again."""
    assert (await post(client)).status_code == 201
    right = keyring_of(folder).read_bytes()
    for change, told in (
        (make_foreign, "the previous keys stay in use"),
        (lambda file: file.write_bytes(right), "the keys were loaded from the changed file"),
    ):
        begun = time.monotonic()
        change(keyring_of(folder))
        while not any(told in line for line in log.messages):
            await asyncio.sleep(0.05)
            assert time.monotonic() - begun < 10


async def test_a_file_that_cannot_be_compared_with_the_data_yet(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """While the database is away the old keys stay; once it is back the new ones are taken."""
    assert (await post(client)).status_code == 201
    take_away(folder, used_by=engine)
    new = with_another_key(keyring_of(folder), active=True)
    problem(await post(client), 503, "unavailable")
    bring_back(folder)

    async def is_sealed_with_the_new_one() -> bool:
        assert (await post(client)).status_code == 201
        return any(sealed_by(engine, new))

    await wait_until(is_sealed_with_the_new_one)


async def test_nothing_is_sealed_with_a_key_that_does_not_fit(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """Where another process sealed first, with other keys, requests and notes are refused."""
    with_another_key(keyring_of(folder), active=True)
    app.state.runtime.keyring.reload_if_changed()
    with writing(engine) as session:
        session.add(SealingKey(id="foreign", check_value=b"another", first_used_at=utc_now()))
    problem(await post(client), 503, "unavailable")
    assert count(engine) == 0
    assert await failed_checks(client) == ["keys"]


async def test_a_note_needs_the_key_that_seals_it(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """A key whose first use is a note is known to the data from then on."""
    request_id = (await post(client)).json()["id"]
    new = with_another_key(keyring_of(folder), active=True)
    written = await note(client, request_id, signed_in(engine), version=1, text="A note.")
    assert written.status_code == 201
    with Session(engine) as session:
        assert session.get(SealingKey, new) is not None


def everything(engine: Engine, folder: Path) -> tuple[object, ...]:
    with Session(engine) as session:
        keys = sorted(session.exec(select(SealingKey.id)).all())
        events = session.exec(select(AuditEvent.action)).all()
    file = keyring_of(folder)
    return keys, events, file.read_bytes() if file.exists() else None


@SPOILT
@pytest.mark.parametrize("command", ["add", "rotate"])
async def test_a_command_with_keys_that_do_not_fit(
    client: httpx.AsyncClient,
    engine: Engine,
    open_clinic: None,
    folder: Path,
    command: str,
    spoil: Spoil,
) -> None:
    """It changes neither the data nor the file, and the right file fits as before."""
    file = keyring_of(folder)
    with_another_key(file, active=False)
    right = file.read_bytes()
    assert (await post(client)).status_code == 201
    spoil(file)
    if file.exists() and file.stat().st_size and spoil is make_foreign:
        with_another_key(file, active=False)
    before = everything(engine, folder)
    done = invoke("keys", command, folder=folder)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert everything(engine, folder) == before
    file.write_bytes(right)
    assert invoke("keys", "check", folder=folder).exit_code == 0


async def test_keys_are_checked(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """`keys check` tells how much each key seals, and names those that are missing."""
    file = keyring_of(folder)
    used, right = read_document(file).active, file.read_bytes()
    await post(client)
    beside = with_another_key(file, active=False)
    fits = invoke("keys", "check", folder=folder)
    assert (fits.exit_code, fits.stderr) == (0, "")
    assert fits.stdout.splitlines() == [f"{used}  seals 2", f"{beside}  seals 0"]

    make_foreign(file)
    foreign = read_document(file).active
    lacks = invoke("keys", "check", folder=folder)
    assert (lacks.exit_code, lacks.stdout) == (1, f"{foreign}  seals 0\n")
    [line] = lacks.stderr.splitlines()
    assert f"the data was sealed with key {used}, which is not in the keyring" in line

    given = invoke("keys", "check", folder=folder, CLINIC_KEYRING=right.decode())
    assert (given.exit_code, given.stdout) == (0, f"{used}  seals 2\n")


async def test_keys_are_imported(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, tmp_path: Path
) -> None:
    """The other file's keys come in beside the active one, and what they sealed opens."""
    file, old = keyring_of(folder), tmp_path / "old.json"
    used = read_document(file).active
    await post(client)
    file.rename(old)
    write_keyring(file, generated=False)
    active = read_document(file).active
    newest = with_another_key(file, active=False)
    assert invoke("keys", "check", folder=folder).exit_code == 1

    done = invoke("keys", "import", str(old), folder=folder)
    assert (done.exit_code, done.stdout) == (0, f"{used} was imported.\n")
    document = read_document(file)
    assert (document.active, list(document.keys)) == (active, [used, active, newest])
    assert invoke("keys", "check", folder=folder).exit_code == 0
    again = invoke("keys", "import", str(old), folder=folder)
    assert (again.exit_code, again.stdout) == (0, "The keyring already has all these keys.\n")
    assert invoke("keys", "rotate", folder=folder).stdout.startswith(f"{newest} is active; 2 ")
    with Session(engine) as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "key.imported"))
        assert [event.subject for event in events] == [used]


async def test_a_wrong_key_is_not_imported(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, tmp_path: Path
) -> None:
    """A key of the right id and another secret is refused, whichever file holds it."""
    file, other = keyring_of(folder), tmp_path / "other.json"
    await post(client)
    shutil.copy(file, other)
    make_counterfeit(other)
    before = everything(engine, folder)
    refused = invoke("keys", "import", str(other), folder=folder)
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert "has a different key with the id" in refused.stderr
    assert everything(engine, folder) == before

    make_foreign(file)
    before = everything(engine, folder)
    refused = invoke("keys", "import", str(other), folder=folder)
    assert "is not the one that the data was sealed with" in refused.stderr
    assert everything(engine, folder) == before
    missing = invoke("keys", "import", str(tmp_path / "nothing"), folder=folder)
    assert (missing.exit_code, len(missing.stderr.splitlines())) == (1, 1)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
SOMEBODY = 10001


@as_root
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_commands_keep_owner_and_mode(folder: Path, mode: int) -> None:
    """Run as root they leave a file that its owner can read, and that others cannot."""
    file = keyring_of(folder)
    os.chown(file, SOMEBODY, SOMEBODY)
    file.chmod(mode)
    other = folder / "other.json"
    write_keyring(other, generated=False)
    for arguments in (["add"], ["rotate"], ["import", str(other)]):
        assert invoke("keys", *arguments, folder=folder).exit_code == 0
        found = file.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (SOMEBODY, SOMEBODY, mode)
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []


@pytest.mark.database("sqlite")
def test_a_link_to_the_file_stays_one(folder: Path) -> None:
    """What the link leads to is replaced, not the link."""
    file, real = keyring_of(folder), folder / "real.json"
    file.rename(real)
    file.symlink_to(real)
    assert invoke("keys", "add", folder=folder).exit_code == 0
    assert file.is_symlink()
    assert len(read_document(real).keys) == 2


@pytest.mark.database("sqlite")
def test_a_folder_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command says so in one line, and leaves no event of what it did not do."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may write everywhere.
    monkeypatch.setattr("data.crypto.os.open", refuse)
    for command in ("add", "rotate"):
        if command == "rotate":
            with_another_key(keyring_of(folder), active=False)
        done = invoke("keys", command, folder=folder)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert "cannot be written: Permission denied" in done.stderr
    monkeypatch.undo()
    engine = open_database(url_of(folder))
    with Session(engine) as session:
        assert session.exec(select(AuditEvent)).all() == []
    engine.dispose()


PRODUCTION = {"environment": "production"}


@pytest.fixture
def in_production(folder: Path) -> Path:
    """The keyring file of a service that runs in production."""
    file = keyring_of(folder)
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "generated": False}))
    return file


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
@pytest.mark.database("sqlite")
def test_a_file_that_others_can_read(folder: Path, in_production: Path, mode: int) -> None:
    """Production does not start on it, and says why in one line; development does."""
    in_production.chmod(mode)
    engine = open_database(url_of(folder))
    with pytest.raises(CannotStart, match="can be read by others") as refused:
        open_keyring(engine, settings_in(folder, **PRODUCTION))
    assert "\n" not in str(refused.value)
    assert open_keyring(engine, settings_in(folder)).active.id
    in_production.chmod(0o400)
    assert open_keyring(engine, settings_in(folder, **PRODUCTION)).active.id
    engine.dispose()
    in_production.chmod(mode)
    for command in ("add", "rotate"):
        done = invoke("keys", command, folder=folder, CLINIC_ENVIRONMENT="production")
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert "can be read by others" in done.stderr


@pytest.mark.database("sqlite")
async def test_a_file_that_others_can_read_by_now(
    folder: Path, in_production: Path, log: pytest.LogCaptureFixture
) -> None:
    """A running service does not take it either, until its mode is mended."""
    async with running(folder, **PRODUCTION) as app, client_of(app) as client:
        assert await failed_checks(client) == []
        in_production.chmod(0o644)

        await not_ready(client, "keys")
        assert any("can be read by others" in line for line in log.messages)
        in_production.chmod(0o600)
        await ready_again(client)


def test_every_worker_keeps_the_keys_that_fit(folder: Path) -> None:
    """Two workers under a foreign file: each request is taken, and the right file starts anew."""
    opened = invoke("status", "set", "open", folder=folder)
    assert opened.exit_code == 0
    file = keyring_of(folder)
    right = file.read_bytes()
    alone = {"Connection": "close", "Content-Type": "application/json"}
    body = {
        "name": "A", "email": "a@example.com", "topic": "other",
        "consent_to_contact": True, "form_version": 1,
    }  # fmt: skip
    with serving(folder, workers=2) as service, service.client(headers=alone) as client:
        path = "/v1/consultation-requests"
        assert client.post(path, json=body).status_code == 201
        make_foreign(file)
        assert {client.post(path, json=body).status_code for _ in range(12)} == {201}
        wait_for(lambda: client.get(READY).status_code == 503)
    file.write_bytes(right)
    with serving(folder):
        pass


def test_a_document_does_not_show_its_keys() -> None:
    """What a keyring document looks like in a log holds no secret."""
    key_id, secret = new_key()
    assert secret not in repr(KeyringDocument(active=key_id, keys={key_id: secret}))
