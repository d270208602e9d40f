"""Starting, stopping and killing the processes of the service."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from tests.support.databases import administer, url_of
from tests.support.intake import PATH, request_named
from tests.support.load import stored_names
from tests.support.mounts import run_with_mount
from tests.support.process import (
    CLOSE_PERMANENTLY,
    MAIN,
    Service,
    environment,
    free_port,
    run,
    serving,
    without_coverage,
)
from tests.support.waiting import PATIENCE, wait_for

CLIENTS = 8
# Seconds; longer than uvicorn's default time to wait for a worker that does not respond.
PAUSED = 6


def post_until_killed(
    url: str, stop: threading.Event, accepted: dict[str, str], unanswered: list[str]
) -> None:
    """Repeats the requests without an answer, each with its key, and then sends new ones."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        while not stop.is_set():
            name = unanswered.pop() if unanswered else str(uuid.uuid4())
            try:
                answer = client.post(
                    PATH,
                    json=request_named(name),
                    headers={"Idempotency-Key": name},
                )
            except httpx.TransportError:
                unanswered.append(name)
                continue
            if answer.status_code == 201:
                accepted[answer.json()["id"]] = name
            else:
                assert answer.status_code == 503, answer.text
                unanswered.append(name)


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("kills", "acknowledged"), [(2, 300), pytest.param(20, 4_000, marks=pytest.mark.soak)]
)
def test_acknowledged_requests_survive_kill(
    folder: Path, open_clinic: None, kills: int, acknowledged: int
) -> None:
    """After `kill -9` of all processes, each request with a 201 is stored once.

    A client that got no answer repeats its request with the same key; this one is stored once too.
    """
    accepted: dict[str, str] = {}
    unanswered: list[str] = []

    def enough(round_: int) -> bool:
        return len(accepted) >= acknowledged * round_ / kills

    for round_ in range(1, kills + 1):
        with serving(folder, workers=2) as service:
            stop = threading.Event()
            clients = [
                threading.Thread(
                    target=post_until_killed, args=(service.url, stop, accepted, unanswered)
                )
                for _ in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            wait_for(partial(enough, round_))
            service.signal(signal.SIGKILL)
            stop.set()
            for client in clients:
                client.join()

    assert len(accepted) >= acknowledged
    with sqlite3.connect(folder / "clinic.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    stored = stored_names(folder)
    assert accepted.items() <= stored.items()
    assert len(set(stored.values())) == len(stored)


def test_a_start_after_a_kill_is_not_slower(folder: Path, open_clinic: None) -> None:
    """After `kill -9` the service starts as fast as after SIGTERM."""
    seconds: dict[signal.Signals, list[float]] = {signal.SIGTERM: [], signal.SIGKILL: []}
    # Compares the fastest start of each kind: other tests load the machine meanwhile.
    for _ in range(2):
        for end, taken in seconds.items():
            with serving(folder) as service:
                with service.client() as client:
                    assert client.post(PATH, json=request_named("A")).is_success
                service.signal(end)
                service.process.wait(timeout=PATIENCE)
            begun = time.monotonic()
            with serving(folder):
                taken.append(time.monotonic() - begun)
    # Waiting for a lock that the killed process left would take many times as long.
    assert min(seconds[signal.SIGKILL]) < 3 * min(seconds[signal.SIGTERM])


def test_a_stop_answers_requests_in_flight(folder: Path, open_clinic: None) -> None:
    """SIGTERM with 20 requests in flight: all 20 get their 201, and then the service ends."""
    body = json.dumps(request_named("A")).encode()
    head = (
        "POST /v1/consultation-requests HTTP/1.1\r\nHost: clinic.example\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with serving(folder, measured=True) as service:
        connections = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(20)]
        for connection in connections:
            connection.settimeout(PATIENCE)
            connection.sendall(head + body)
        # The first answer has begun; most of the others wait in the queue of writers.
        connections[0].recv(1, socket.MSG_PEEK)
        service.process.send_signal(signal.SIGTERM)
        answers = [connection.recv(65536) for connection in connections]
        for connection in connections:
            connection.close()
        assert service.process.wait(timeout=PATIENCE) in (0, -signal.SIGTERM)
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 201"] * 20


def test_workers_share_their_state(folder: Path, open_clinic: None) -> None:
    """Receipts, replays and a change of status work across the workers."""
    # Each request has its own connection, so that either worker may accept it.
    one_request = {"Connection": "close"}
    with (
        serving(folder, workers=2, own_interpreter=True) as service,
        service.client(headers=one_request) as client,
    ):
        key = {"Idempotency-Key": "one-and-the-same"}
        answers = [client.post(PATH, json=request_named("A"), headers=key) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        token = answers[0].json()["receipt_token"]
        receipt = answers[0].headers["Location"]
        for _ in range(12):
            read = client.get(receipt, headers={"Authorization": f"Bearer {token}"})
            assert read.json()["state"] == "received"
        assert run(*CLOSE_PERMANENTLY, folder=folder).returncode == 0
        assert {client.post(PATH, json=request_named("B")).status_code for _ in range(12)} == {410}
        replay = client.post(PATH, json=request_named("A"), headers=key)
        assert (replay.status_code, replay.content) == (201, answers[0].content)


@pytest.mark.database("sqlite")
def test_a_paused_worker_is_not_killed(folder: Path) -> None:
    """A worker that does not respond for six seconds is not killed.

    A busy machine can need this long to start one.
    """
    with serving(folder, workers=2) as service:
        process = service.process.pid
        children = Path(f"/proc/{process}/task/{process}/children")
        before = children.read_text().split()
        for child in before:
            os.kill(int(child), signal.SIGSTOP)
        time.sleep(PAUSED)
        for child in before:
            os.kill(int(child), signal.SIGCONT)
        wait_for(service.is_ready)
        assert children.read_text().split() == before


def spoil_key(folder: Path) -> None:
    (folder / "keyring.json").write_text('{"active": "a", "keys": {"a": "c2hvcnQ="}}')


def remove_key(folder: Path) -> None:
    (folder / "keyring.json").unlink()


def spoil_database(folder: Path) -> None:
    (folder / "clinic.db").write_bytes(b"this is no database" * 100)


def replace_database_by_folder(folder: Path) -> None:
    (folder / "clinic.db").unlink()
    (folder / "clinic.db").mkdir()


def reason_not_to_start(folder: Path, workers: int, **setting: str) -> str:
    """Runs `serve`, which must fail, and returns its one-line error."""
    port = str(free_port())
    ended = run("serve", "--port", port, "--workers", str(workers), folder=folder, **setting)
    assert ended.returncode != 0
    assert ended.stdout == ""
    [reason] = ended.stderr.splitlines()
    return reason


one_or_two = pytest.mark.parametrize("workers", [1, 2])


@one_or_two
@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    ("spoil", "setting", "reason"),
    [
        (spoil_key, {}, "contains no valid keyring"),
        (remove_key, {}, "there is no keyring"),
        (None, {"CLINIC_ENVIRONMENT": "production"}, "generated them for trials"),
        (None, {"CLINIC_INTAKE_RATE": "often"}, "CLINIC_INTAKE_RATE"),
        (None, {"CLINIC_DATABASE_URL": "nowhere"}, "CLINIC_DATABASE_URL"),
        (None, {"CLINIC_DATABASE_URL": "mysql://a/b"}, "sqlite:/// or postgresql://"),
        (None, {"CLINIC_CORS_ORIGIN": "https://a.example"}, "CLINIC_CORS_ORIGIN is not a setting"),
    ],
)
def test_an_invalid_setting_prevents_the_start(
    folder: Path, workers: int, spoil: object, setting: dict[str, str], reason: str
) -> None:
    """The service does not start with an invalid key or setting; its error names the fault."""
    if callable(spoil):
        spoil(folder)
    assert reason in reason_not_to_start(folder, workers, **setting)


@one_or_two
@pytest.mark.database("sqlite")
@pytest.mark.parametrize("spoil", [spoil_database, replace_database_by_folder])
def test_an_invalid_database_prevents_the_start(
    folder: Path, workers: int, spoil: Callable[[Path], None]
) -> None:
    """The service does not start when its database is a folder or another kind of file."""
    spoil(folder)
    assert "the database cannot be used" in reason_not_to_start(folder, workers)


PRODUCTION = {"CLINIC_ENVIRONMENT": "production"}


@one_or_two
@pytest.mark.database("sqlite")
def test_production_creates_no_database(folder: Path, workers: int) -> None:
    """In production `serve` creates no database; its error names the command that does.

    This is so for a missing file and for an empty one.
    """
    wrong = folder / "srv" / "clinic.db"
    url = f"sqlite:///{wrong}"
    reason = reason_not_to_start(folder, workers, CLINIC_DATABASE_URL=url, **PRODUCTION)
    assert reason.startswith(f"clinic-api: there is no database at {wrong}: make one with")
    assert not wrong.parent.exists()
    wrong.parent.mkdir()
    wrong.touch()
    reason = reason_not_to_start(folder, workers, CLINIC_DATABASE_URL=url, **PRODUCTION)
    assert reason.endswith("the database is not migrated: run `python main.py migrate`")
    assert wrong.stat().st_size == 0


def test_production_after_migrate(empty_folder: Path) -> None:
    """In production, `keys create` and `migrate` run before `serve`, which needs the content."""
    for command in (("keys", "create", str(empty_folder / "keyring.json")), ("migrate",)):
        assert run(*command, folder=empty_folder, **PRODUCTION).returncode == 0
    unfilled = run("serve", folder=empty_folder, **PRODUCTION)
    assert unfilled.stderr == (
        "clinic-api: the database is empty: CLINIC_CONTENT must name the content's folder\n"
    )
    filled = {**PRODUCTION, "CLINIC_CONTENT": "shipped"}
    with (
        serving(empty_folder, own_interpreter=True, changes=filled) as service,
        service.client() as client,
    ):
        assert client.get("/v1/status").json()["state"] == "permanently_closed"


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("path", "workers"), [(".", 1), ("clinic.db", 2)])
def test_a_read_only_disk_prevents_the_start(folder: Path, workers: int, path: str) -> None:
    """The service does not start with a read-only folder or database file."""
    done = run_with_mount(
        f"mount --bind {folder}/{path} {folder}/{path}\n"
        f"mount -o remount,bind,ro {folder}/{path}\n"
        f"cd {folder} && {sys.executable} {MAIN} serve --port {free_port()} --workers {workers}"
        " || echo code $?",
        folder=folder,
    )
    assert done.stdout == "code 1\n"
    [reason] = done.stderr.splitlines()
    assert re.search(r"the database cannot be used \(SQLITE_(READONLY|CANTOPEN)", reason)


@one_or_two
@pytest.mark.database("postgresql")
def test_an_unsuitable_server_prevents_the_start(folder: Path, workers: int) -> None:
    """The service does not start on a PostgreSQL that is unreachable, unsynced or not migrated.

    Unsynced: it acknowledges a COMMIT before the data is on disk.
    """
    nowhere = "postgresql://clinic:secret@127.0.0.1:1/clinic"
    away = reason_not_to_start(folder, workers, CLINIC_DATABASE_URL=nowhere)
    assert away.endswith("the database cannot be used (OperationalError)")
    name = make_url(url_of(folder)).database
    administer(url_of(folder), f"ALTER DATABASE {name} SET synchronous_commit = off")
    reason = reason_not_to_start(folder, workers)
    assert reason.endswith("synchronous_commit and fsync must be on")
    administer(
        url_of(folder),
        f"ALTER DATABASE {name} SET synchronous_commit = on",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
    )
    reason = reason_not_to_start(folder, workers)
    assert reason.endswith("the database is not migrated: run `python main.py migrate`")


@pytest.mark.database("sqlite")
def test_a_port_in_use_is_reported(folder: Path) -> None:
    """A second service on the same port reports that the port is in use, and ends."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("serve", "--port", str(taken.getsockname()[1]), folder=folder)
    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr


@pytest.mark.database("sqlite")
def test_a_lost_key_is_never_replaced(folder: Path, open_clinic: None) -> None:
    """If the database has sealed data, a missing or different key prevents the start.

    No new key is generated.
    """
    with serving(folder) as service, service.client() as client:
        assert client.post(PATH, json=request_named("A")).status_code == 201
    keyring = folder / "keyring.json"
    keyring.unlink()
    ended = run("serve", "--port", str(free_port()), folder=folder)
    assert (ended.returncode, keyring.exists()) == (1, False)

    assert run("keys", "create", str(keyring), folder=folder).returncode == 0
    ended = run("serve", "--port", str(free_port()), folder=folder)
    assert ended.returncode == 1
    assert "the data was sealed with key" in ended.stderr


def test_the_first_start_creates_what_is_missing(tmp_path: Path) -> None:
    """The first start creates the database and a key, and warns about the key."""
    values = without_coverage(environment(tmp_path))
    # The default key file is in the project's folder, so this start needs a copy of the project.
    del values["CLINIC_KEYRING_FILE"], values["CLINIC_DATABASE_URL"]
    project = tmp_path / "project"
    shutil.copytree(
        MAIN.parent, project, ignore=shutil.ignore_patterns(".*", "var", "tests", "__pycache__")
    )
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(project / "main.py"), "serve", "--port", str(port)],
        env=values,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines = [process.stdout.readline() for _ in range(3)]
    warning = process.stderr.readline()
    service = Service(process, port)
    wait_for(service.is_ready)
    with service.client() as client:
        status = client.get("/v1/status").json()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert lines == [
        f"Clinic API     http://127.0.0.1:{port}\n",
        f"Documentation  http://127.0.0.1:{port}/docs\n",
        "The clinic is  permanently closed; consultations: closed\n",
    ]
    assert warning.startswith("NEW KEY")
    assert status["state"] == "permanently_closed"
    for name in ("clinic.db", "keyring.json"):
        assert os.stat(project / "var" / name).st_mode & 0o077 == 0
