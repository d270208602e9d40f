"""The command `doctor`: its lines, its JSON document and its exit codes."""

import json
from pathlib import Path

import pytest

from tests.support.audit import open_with_audit, tamper
from tests.support.commands import invoke
from tests.support.staff import signed_in


@pytest.mark.database("sqlite")
def test_no_faults(folder: Path) -> None:
    """Without faults `doctor` prints a line for each check and exits with 0."""
    done = invoke("doctor", folder=folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "audit"],
        ["ok", "audit_end"],
        ["ok", "role"],
    ]
    document = json.loads(invoke("doctor", "--json", folder=folder).stdout)
    assert (set(document), document["status"]) == ({"status", "checks"}, "ok")
    assert [set(check) for check in document["checks"]] == [{"name", "status", "detail"}] * 3


@pytest.mark.database("sqlite")
def test_a_fault(folder: Path) -> None:
    """With a fault `doctor` exits with 1; the line describes the fault and what to do."""
    engine = open_with_audit(folder)
    signed_in(engine, "admin")
    engine.dispose()
    tamper(folder, "UPDATE audit_event SET actor = 'x'")
    done = invoke("doctor", folder=folder)
    assert done.exit_code == 1
    assert done.stdout.startswith("failed audit      Event 1 was changed or inserted. The audit")
    document = json.loads(invoke("doctor", "--json", folder=folder).stdout)
    assert document["status"] == "failed"


@pytest.mark.database("postgresql")
def test_a_role_that_owns_the_tables(folder: Path) -> None:
    """`doctor` fails if the service's role owns the audit table: it could rewrite the audit."""
    done = invoke("doctor", folder=folder)
    assert done.exit_code == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("failed")]
    assert line.startswith("failed role       The role of CLINIC_DATABASE_URL owns the audit's")


def test_a_check_that_cannot_run(folder: Path) -> None:
    """Without keys or a database, or with an invalid backup manifest, `doctor` exits with 2."""
    backups = folder / "backups"
    backups.mkdir()
    (backups / "clinic-20260131T090000.000000Z.db").touch()
    (backups / "clinic-20260131T090000.000000Z.db.json").touch()
    done = invoke("doctor", folder=folder, CLINIC_BACKUP_DIR=str(backups))
    assert done.exit_code == 2
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert line.startswith("error  audit_end")
    assert line.endswith("is no manifest of a backup")
    (folder / "keyring.json").unlink()
    assert invoke("doctor", folder=folder).exit_code == 2
    url = f"sqlite:///{folder}/nothing.db"
    done = invoke("doctor", "--json", folder=folder, CLINIC_DATABASE_URL=url)
    document = json.loads(done.stdout)
    assert (done.exit_code, document["status"]) == (2, "error")
    [check] = document["checks"]
    assert (check["name"], check["status"]) == ("start", "error")
    assert "there is no database at" in check["detail"]
