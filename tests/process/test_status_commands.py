"""The commands `status set`, `status call-off` and `status show`."""

import json
import os
import pty
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import Result

from models.audit import AuditEvent
from models.consultation_request import ConsultationRequest
from tests.support.commands import invoke
from tests.support.intake import post
from tests.support.process import started


def shown(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(invoke("status", "show", folder=folder).stdout)
    return document


def planned(folder: Path) -> list[tuple[str, str]]:
    return [(p["state"], p["effective_from"]) for p in shown(folder)["planned"]]


def error_of(result: Result) -> str:
    """The one-line error of a command that failed, without its prefix."""
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    return line.removeprefix("clinic-api: ")


def test_planned_changes_are_listed_and_called_off(folder: Path) -> None:
    """`set --reopen` plans two changes, `show` lists them, and `call-off` removes one."""
    done = invoke(
        *("status", "set", "temporarily_closed", "--effective-from", "2031-03-31T20:00:00-05:00"),
        *("--reopens-on", "2031-05-01", "--reopen"),
        folder=folder,
    )
    assert done.stdout.splitlines() == [
        "temporarily_closed from 2031-04-01T01:00:00Z, consultations: paused",
        "Planned: temporarily_closed from 2031-04-01T01:00:00Z, consultations: paused, id 2",
        "Planned: open from 2031-05-01T05:00:00Z, consultations: open, id 3",
    ]
    assert [p["id"] for p in shown(folder)["planned"]] == ["2", "3"]
    called_off = invoke("status", "call-off", "2", folder=folder)
    line = "Called off: temporarily_closed from 2031-04-01T01:00:00Z, consultations: paused\n"
    assert called_off.stdout == line
    assert invoke("status", "call-off", "2", folder=folder).stdout == line
    assert planned(folder) == [("open", "2031-05-01T05:00:00Z")]
    assert shown(folder)["next_change"]["state"] == "open"


def test_what_cannot_be_called_off(folder: Path) -> None:
    """A change in effect or an unknown change cannot be called off."""
    in_effect = invoke("status", "call-off", "1", folder=folder)
    assert error_of(in_effect) == "the change is already in effect"
    for unknown in ("2", "0", "x", "1.0", str(2**63), "١"):
        missing = invoke("status", "call-off", unknown, folder=folder)
        assert error_of(missing) == "there is no such change"


def test_a_change_in_the_past(folder: Path) -> None:
    """A change in the past needs `--backdated`, and takes effect at once."""
    change = ("status", "set", "open", "--effective-from", "2020-01-01T00:00:00Z")
    assert error_of(invoke(*change, folder=folder)) == "effective_from is in the past"
    assert invoke(*change, "--backdated", folder=folder).exit_code == 0
    assert shown(folder)["effective_from"] == "2020-01-01T00:00:00Z"


async def test_permanent_closure_needs_confirmation(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """Closing permanently needs the confirmation; a dry run prints its effects."""
    await post(client)
    closing = ("status", "set", "permanently_closed")
    invoke("status", "set", "open", "--effective-from", "2999-01-01T00:00:00Z", folder=folder)
    before = shown(folder)
    tried = invoke(*closing, "--dry-run", folder=folder).stdout.splitlines()
    assert tried[0] == "Dry run, nothing is changed:"
    assert tried[2:] == [
        "Open requests that it will close out: 1",
        "Called off: open from 2999-01-01T00:00:00Z, consultations: open, id 3",
    ]
    for word in ((), ("--confirm", "yes"), ("--confirm", "")):
        refused = error_of(invoke(*closing, *word, folder=folder))
        assert "--confirm permanently_closed" in refused or "nothing was changed" in refused
    assert shown(folder) == before

    done = invoke(*closing, "--confirm", "permanently_closed", folder=folder)
    assert done.stdout.splitlines()[1:] == [
        "Requests closed out: 1",
        "Called off: open from 2999-01-01T00:00:00Z, consultations: open, id 3",
    ]
    assert (shown(folder)["state"], planned(folder)) == ("permanently_closed", [])
    with Session(engine) as session:
        assert session.exec(select(ConsultationRequest.state)).all() == ["closed_out"]
        events = session.exec(select(AuditEvent).where(AuditEvent.actor == "command-line")).all()
    assert [event.action for event in events][-3:] == [
        "status.called_off",
        "status.changed",
        "requests.closed_out",
    ]


@pytest.mark.database("sqlite")
def test_a_terminal_prompts_for_the_confirmation(folder: Path) -> None:
    """The prompt shows what closing does; only the right word closes the clinic."""
    invoke("status", "set", "open", folder=folder)
    for typed, code, state in (("yes", 1, "open"), ("permanently_closed", 0, "permanently_closed")):
        terminal, stdin = pty.openpty()
        os.write(terminal, f"{typed}\n".encode())
        closing = ("status", "set", "permanently_closed")
        with started(*closing, folder=folder, stdin=stdin) as command:
            closed = command.finish()
        os.close(terminal)
        os.close(stdin)
        assert (closed.returncode, shown(folder)["state"]) == (code, state), closed.stderr
        assert closed.stderr.startswith(
            "This closes the clinic permanently:\npermanently_closed from "
        )
        assert "Type permanently_closed to go on" in closed.stderr
