"""The commands of the command line, run by an operator."""

import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from data.crypto import Keyring, read_document
from data.database import open_database
from data.schema import NEWEST_REVISION
from tests.support.clinic import fill
from tests.support.commands import invoke
from tests.support.databases import kind_of, url_of

# The commands that need an existing database.
COMMANDS = [
    ["content", "push", "data/content"],
    ["status", "show"],
    ["status", "set", "open"],
    ["requests", "list"],
    ["requests", "show", "x"],
    ["requests", "purge"],
    ["token", "create", "--owner", "A", "--scope", "admin"],
    ["token", "list"],
    ["token", "revoke", "x"],
    ["keys", "list"],
    ["keys", "add"],
    ["keys", "rotate"],
    ["keys", "retire", "x"],
    ["backup", "backups"],
]


def test_the_help_names_every_command(folder: Path) -> None:
    """`--help` lists all groups of commands."""
    shown = invoke("--help", folder=folder).stdout
    names = "serve migrate content status requests keys backup doctor"
    for command in names.split():
        assert command in shown


def test_migrate(empty_folder: Path) -> None:
    """`migrate` creates the tables; without content, a command names the next step."""
    tmp_path = empty_folder
    early = invoke("status", "show", folder=tmp_path)
    assert early.exit_code == 1
    if kind_of(tmp_path) == "sqlite":
        assert early.stderr.startswith("clinic-api: there is no database at ")
        assert not (tmp_path / "clinic.db").exists()
    else:
        assert early.stderr == (
            "clinic-api: the database is not migrated: run `python main.py migrate`\n"
        )
    migrated = invoke("migrate", folder=tmp_path)
    assert migrated.stdout == f"The database is at revision {NEWEST_REVISION}.\n"
    empty = invoke("status", "show", folder=tmp_path)
    assert empty.stderr == (
        "clinic-api: the database has no content: set CLINIC_CONTENT, and run "
        "`python main.py serve`\n"
    )


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("environment", ["development", "production"])
def test_no_command_creates_a_database(folder: Path, environment: str) -> None:
    """With a wrong database path every command fails with one line and creates no file."""
    wrong = folder / "srv" / "clinic.bd"
    url = f"sqlite:///{wrong}"
    for command in COMMANDS:
        done = invoke(
            *command, folder=folder, CLINIC_ENVIRONMENT=environment, CLINIC_DATABASE_URL=url
        )
        assert (done.exit_code, done.stdout) == (1, ""), command
        assert done.stderr == (
            f"clinic-api: there is no database at {wrong}: make one with "
            "`python main.py migrate`, or correct CLINIC_DATABASE_URL\n"
        )
        assert not wrong.parent.exists()


def test_a_newer_database(folder: Path) -> None:
    """With a database of a newer version every command fails with one line."""
    engine = open_database(url_of(folder))
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for command in [*COMMANDS, ["migrate"], ["serve"]]:
        done = invoke(*command, folder=folder)
        assert (done.exit_code, done.stdout) == (1, ""), command
        assert done.stderr == (
            "clinic-api: the database is newer than this version of the service: "
            "use the newer version\n"
        )


@pytest.mark.database("sqlite")
def test_a_database_that_cannot_be_created(folder: Path) -> None:
    """If the path cannot be created, `migrate` prints the reason in one line."""
    (folder / "file").touch()
    path = folder / "file" / "srv" / "clinic.db"
    done = invoke("migrate", folder=folder, CLINIC_DATABASE_URL=f"sqlite:///{path}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"clinic-api: no database can be made at {path}: Not a directory\n"


def test_the_status_is_set_and_shown(folder: Path) -> None:
    """`status set` records a change, and `status show` prints it."""
    done = invoke(
        *("status", "set", "temporarily_closed", "--mode", "waitlist"),
        *("--reopens-on", "2999-01-31", "--headline", "Back soon", "--message", "Closed for now."),
        folder=folder,
    )
    assert done.stdout.startswith("temporarily_closed from ")
    assert done.stdout.endswith("Z, consultations: waitlist\n")
    shown = json.loads(invoke("status", "show", folder=folder).stdout)
    assert shown["state"] == "temporarily_closed"
    assert shown["consultations"]["mode"] == "waitlist"
    assert (shown["headline"], shown["message"]) == ("Back soon", "Closed for now.")
    assert shown["reopens_on"] == "2999-01-31"
    assert shown["version"] == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ajar"], "state: Input should be"),
        (["open", "--mode", "closed"], "mode `closed` goes with `permanently_closed`"),
        (["permanently_closed", "--mode", "open"], "mode `closed` goes with"),
        (["open", "--reopens-on", "2999-01-31"], "a reopening day goes with"),
        (["temporarily_closed", "--reopens-on", "2001-01-31"], "the reopening day is in the past"),
        (["open", "--effective-from", "2999-01-31T09:00:00"], "effective_from: "),
        (["open", "--effective-from", "soon"], "effective_from: "),
    ],
)
def test_an_invalid_status(folder: Path, arguments: list[str], reason: str) -> None:
    """An invalid status change is refused in one line, and changes nothing."""
    refused = invoke("status", "set", *arguments, folder=folder)
    assert refused.exit_code == 1
    assert reason in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert json.loads(invoke("status", "show", folder=folder).stdout)["version"] == 1


async def test_requests_are_listed_and_shown(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """`requests list` prints no typed text; `requests show` prints it, safe for a terminal."""
    sent = {
        "name": "Ada 👩‍⚕️ Example",
        "email": "ada@example.com",
        "topic": "other",
        "message": "one\n\x1b[31mtwo\u202e",
        "consent_to_contact": True,
        "form_version": 1,
    }
    accepted = (await client.post("/v1/consultation-requests", json=sent)).json()
    listed = invoke("requests", "list", folder=folder).stdout
    assert listed.split() == [accepted["id"], accepted["received_at"][:19] + "Z", "received"]

    output = invoke("requests", "show", accepted["id"], folder=folder).stdout
    assert "\x1b" not in output
    assert "\u202e" not in output
    assert "Ada 👩‍⚕️ Example" in output
    shown = json.loads(output)
    assert shown["state"] == "received"
    assert {key: shown["sent"][key] for key in sent} == sent
    assert [consent["purpose"] for consent in shown["consents"]] == ["contact"]

    token = {"Authorization": f"Bearer {accepted['receipt_token']}"}
    await client.post(f"/v1/consultation-requests/{accepted['id']}/withdrawal", headers=token)
    erased = json.loads(invoke("requests", "show", accepted["id"], folder=folder).stdout)
    assert (erased["state"], erased["sent"]) == ("withdrawn", None)


def test_an_unknown_request(folder: Path) -> None:
    """`requests show` reports an unknown id in one line."""
    missing = invoke("requests", "show", "nothing", folder=folder)
    assert (missing.exit_code, missing.stderr) == (1, "clinic-api: there is no such request\n")


async def test_requests_need_the_key(
    client: httpx.AsyncClient, open_clinic: None, folder: Path
) -> None:
    """Without the keyring `requests show` fails."""
    sent = {"name": "A", "email": "a@example.com", "topic": "other"}
    answer = await client.post(
        "/v1/consultation-requests", json={**sent, "consent_to_contact": True, "form_version": 1}
    )
    (folder / "keyring.json").unlink()
    refused = invoke("requests", "show", answer.json()["id"], folder=folder)
    assert refused.exit_code == 1
    assert "there is no keyring" in refused.stderr


def test_keys_are_created_once(tmp_path: Path) -> None:
    """`keys create` writes a keyring that only its owner can read, and never overwrites a file."""
    file = tmp_path / "keys.json"
    assert invoke("keys", "create", str(file), folder=tmp_path).exit_code == 0
    keyring = Keyring(read_document(file))
    assert (keyring.generated, file.stat().st_mode & 0o777) == (False, 0o600)
    before = file.read_bytes()
    again = invoke("keys", "create", str(file), folder=tmp_path)
    assert (again.exit_code, file.read_bytes()) == (1, before)
    assert "File exists" in again.stderr


def test_the_keys_may_come_from_the_environment(tmp_path: Path) -> None:
    """CLINIC_KEYRING can contain the keyring; an invalid value is never printed."""
    file = tmp_path / "keys.json"
    invoke("keys", "create", str(file), folder=tmp_path)
    invoke("migrate", folder=tmp_path)
    fill(tmp_path)
    shown = invoke("requests", "show", "x", folder=tmp_path, CLINIC_KEYRING=file.read_text())
    assert shown.stderr == "clinic-api: there is no such request\n"
    refused = invoke("requests", "show", "x", folder=tmp_path, CLINIC_KEYRING="change-me")
    assert "CLINIC_KEYRING contains no valid keyring" in refused.stderr
    assert "change-me" not in refused.stderr
