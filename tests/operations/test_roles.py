"""Two roles on PostgreSQL: one owns the tables; the other serves and cannot rewrite the audit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as counter
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from data.crypto import write_keyring
from tests.support.apps import client_of, running
from tests.support.audit import doctor_checks
from tests.support.backups import back_up
from tests.support.clinic import fill
from tests.support.commands import invoke
from tests.support.databases import Cluster, administer, own_database, use
from tests.support.intake import bearer, post
from tests.support.staff import INBOX, STAFF, signed_in

pytestmark = pytest.mark.database("postgresql")

PASSWORD = "only-for-tests"
_numbers = counter()


@dataclass
class Roles:
    """URLs of one database for its administrator, the owner of the tables, and the service."""

    admin: URL
    owner: URL
    serving: URL

    def database(self, folder: Path, url: str) -> None:
        """Makes a database the one of a folder, with these roles."""
        address = make_url(url)
        administer(address, f"ALTER DATABASE {address.database} OWNER TO {self.owner.username}")
        self.admin = address
        self.owner = self.owner.set(database=address.database)
        self.serving = self.serving.set(database=address.database)
        use(folder, text_of(self.serving))


def text_of(url: URL) -> str:
    """The URL with its password."""
    return url.render_as_string(hide_password=False)


@pytest.fixture
def roles(
    database_kind: str, cluster: Cluster, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Roles]:
    """A new database owned by the first role, and a keyring."""
    number = f"{os.getpid()}_{next(_numbers)}"
    names = [f"clinic_owner_{number}", f"clinic-serving-{number}"]
    for name in names:
        administer(cluster.url, f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'")
    admin = cluster.url
    owner, serving = (admin.set(username=name, password=PASSWORD) for name in names)
    roles = Roles(admin, owner, serving)
    write_keyring(tmp_path / "keyring.json", generated=True)
    with own_database(database_kind, request, tmp_path):
        roles.database(tmp_path, (tmp_path / "database-url").read_text())
        yield roles
    for name in names:
        administer(cluster.url, f'DROP ROLE "{name}"')


def migrate(folder: Path, roles: Roles) -> None:
    """Runs `migrate` as the owner of the tables."""
    done = invoke("migrate", folder=folder, CLINIC_MIGRATION_DATABASE_URL=text_of(roles.owner))
    assert (done.exit_code, done.stderr) == (0, "")


FORBIDDEN = [
    "UPDATE audit_event SET actor = 'x'",
    "UPDATE audit_event SET hash = NULL WHERE id = 1",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "ALTER TABLE audit_event RENAME TO elsewhere",
    "ALTER TABLE audit_event ADD COLUMN x integer",
    "DROP TRIGGER audit_event_no_change ON audit_event",
    "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql "
    "AS $$ BEGIN RETURN NEW; END $$",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_event EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TABLE mine (id integer)",
    "DROP TABLE audit_event",
    "DROP SCHEMA public CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "DELETE FROM audit_secret",
    "TRUNCATE audit_secret",
    "UPDATE alembic_version SET version_num = '0001'",
]


async def test_the_serving_role(tmp_path: Path, roles: Roles) -> None:
    """The serving role can do all that the service needs, and cannot rewrite the audit."""
    migrate(tmp_path, roles)
    fill(tmp_path)
    assert invoke("status", "set", "open", folder=tmp_path).exit_code == 0
    async with running(tmp_path) as app, client_of(app) as client:
        staff = signed_in(app.state.runtime.engine)
        accepted, other = await post(client), await post(client)
        assert accepted.status_code == 201
        path = f"{INBOX}/{accepted.json()['id']}"
        assert (await client.get(path, headers=staff)).status_code == 200
        await client.post(f"{accepted.headers['Location']}/withdrawal", headers=bearer(accepted))
        erased = await client.delete(
            f"{INBOX}/{other.json()['id']}", headers={**staff, "If-Match": '"1"'}
        )
        assert erased.status_code == 204
        assert invoke("keys", "add", folder=tmp_path).exit_code == 0
        assert invoke("keys", "rotate", folder=tmp_path).exit_code == 0
        events = await client.get(f"{STAFF}/audit-events", headers=staff)
        assert {"status.changed", "request.read", "request.erased", "key.rotated"} <= {
            event["action"] for event in events.json()["data"]
        }
        assert (await client.get("/health/ready")).status_code == 200
    back_up(tmp_path)
    for statement in FORBIDDEN:
        refused = statement.format(owner=roles.owner.username)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            administer(roles.serving, refused)
    assert {status for status, _ in doctor_checks(tmp_path).values()} == {"ok"}
    assert invoke("doctor", folder=tmp_path).exit_code == 0
    # A second migration revokes rights that were granted meanwhile.
    administer(roles.owner, f'GRANT UPDATE (actor) ON audit_event TO "{roles.serving.username}"')
    assert doctor_checks(tmp_path)["role"][1].startswith(
        "The role of CLINIC_DATABASE_URL has the right to change audit events"
    )
    migrate(tmp_path, roles)
    assert doctor_checks(tmp_path)["role"][0] == "ok"


def test_a_second_role_is_added(tmp_path: Path, roles: Roles) -> None:
    """After the tables have a new owner, the next migration grants the serving role its rights."""
    name = roles.serving.username
    administer(roles.admin, f'GRANT CREATE ON SCHEMA public TO "{name}"')
    assert invoke("migrate", folder=tmp_path).exit_code == 0
    fill(tmp_path)
    assert invoke("status", "set", "open", folder=tmp_path).exit_code == 0
    assert "owns the audit's table" in doctor_checks(tmp_path)["role"][1]
    administer(
        roles.admin,
        f'REASSIGN OWNED BY "{name}" TO {roles.owner.username}',
        f'REVOKE CREATE ON SCHEMA public FROM "{name}"',
    )
    migrate(tmp_path, roles)
    assert invoke("doctor", folder=tmp_path).exit_code == 0
    assert invoke("status", "set", "temporarily_closed", folder=tmp_path).exit_code == 0


def test_a_backup_is_restored_with_two_roles(
    tmp_path: Path,
    roles: Roles,
    request: pytest.FixtureRequest,
    database_kind: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The owner restores the database, and the serving role gets its rights."""
    migrate(tmp_path, roles)
    fill(tmp_path)
    assert invoke("status", "set", "open", folder=tmp_path).exit_code == 0
    file = back_up(tmp_path)
    target = tmp_path_factory.mktemp("restored")
    (target / "keyring.json").write_bytes((tmp_path / "keyring.json").read_bytes())
    with own_database(database_kind, request, target):
        roles.database(target, (target / "database-url").read_text())
        owner = {"CLINIC_MIGRATION_DATABASE_URL": text_of(roles.owner)}
        done = invoke("restore", str(file), "--confirm", "restore", folder=target, **owner)
        assert (done.exit_code, done.stderr) == (0, "")
        assert invoke("doctor", folder=target).exit_code == 0
        assert invoke("status", "set", "open", "--message", "Again.", folder=target).exit_code == 0


def test_invalid_role_settings(tmp_path: Path, roles: Roles) -> None:
    """`migrate` reports in one line which URL is wrong."""
    owner, serving = text_of(roles.owner), text_of(roles.serving)
    nobody = text_of(roles.serving.set(username="nobody_is_called_so"))
    unnamed = f"postgresql:///{roles.serving.database}"
    for urls, reason in (
        ((owner, owner), "must not own the tables"),
        ((nobody, owner), "names the role nobody_is_called_so, which does not exist"),
        ((unnamed, owner), "CLINIC_DATABASE_URL must name the role of the service"),
        ((f"sqlite:///{tmp_path}/x.db", owner), "is for PostgreSQL"),
        ((serving, "sqlite:///x.db"), "is for PostgreSQL"),
    ):
        names = ("CLINIC_DATABASE_URL", "CLINIC_MIGRATION_DATABASE_URL")
        values = dict(zip(names, urls, strict=True))
        done = invoke("migrate", folder=tmp_path, **values)
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), reason
        assert reason in done.stderr
