"""Commands for consultation requests."""

from typing import Annotated

import typer
from sqlmodel import SQLModel

from api.commands.opening import fail, opened_database, opened_for_events
from data.audit.events import record_event
from data.database import reading, writing
from data.intake import requests as consultation_requests
from data.intake import retention
from data.intake.sealed import open_request
from models.audit import COMMAND_LINE, Action
from models.terminal import as_json

requests = typer.Typer(help="Consultation requests.", no_args_is_help=True)


@requests.command("list")
def list_requests() -> None:
    """List all requests, the newest first, without what was typed."""
    with opened_database() as engine, reading(engine) as session:
        for row in consultation_requests.list_requests(session):
            typer.echo(f"{row.id}  {row.received_at:%Y-%m-%dT%H:%M:%SZ}  {row.state}")


@requests.command("show")
def show_request(request_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one request, decrypted. This is recorded in the audit."""
    with opened_for_events() as (engine, keyring), writing(engine) as session:
        row = consultation_requests.find_request(session, request_id=request_id)
        if row is None:
            fail("there is no such request")
        record_event(session, actor=COMMAND_LINE, action=Action.REQUEST_READ, subject=request_id)
        consents = consultation_requests.list_consents(session, request_id=request_id)
        document = {
            **_columns(row, "id", "state", "received_at", "updated_at"),
            "sent": open_request(row, keyring=keyring),
            "consents": [
                _columns(consent, "purpose", "version", "text", "given_at") for consent in consents
            ],
        }
    typer.echo(as_json(document))


@requests.command("purge")
def purge_requests() -> None:
    """Erase the requests whose retention has ended. A running service also does this."""
    purged = 0
    with opened_for_events() as (engine, _):
        while True:
            with writing(engine) as session:
                done = retention.purge(session, actor=COMMAND_LINE)
            purged += done
            if not done:
                break
    typer.echo(f"{purged} requests were erased.")


def _columns(row: SQLModel, *names: str) -> dict[str, object]:
    values = row.model_dump(mode="json", include=set(names))
    return {name: values[name] for name in names}
