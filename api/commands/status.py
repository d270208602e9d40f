"""The clinic's state."""

from typing import Annotated

import typer

from api.commands.opening import opened_database
from data.audit import record_event
from data.closing import close_out_where_closed
from data.database import reading, writing
from data.status import find_status, record_status_change
from models.audit import COMMAND_LINE, Action
from models.settings import read_settings
from models.status import StatusPublic
from models.status_change import StatusChangeCreate

status = typer.Typer(help="The clinic's state.", no_args_is_help=True)


@status.command("show")
def show_status() -> None:
    """What is true of the clinic now."""
    with opened_database() as engine, reading(engine) as session:
        typer.echo(StatusPublic.of(find_status(session)).model_dump_json(indent=2))


@status.command("set")
def set_status(
    state: Annotated[str, typer.Argument(help="open, temporarily_closed or permanently_closed")],
    mode: Annotated[
        str | None, typer.Option(help="How requests are taken: open, waitlist, paused, closed.")
    ] = None,
    effective_from: Annotated[
        str | None, typer.Option(help="Instant with offset, 2030-01-31T09:00:00Z; now if absent.")
    ] = None,
    reopens_on: Annotated[str | None, typer.Option(help="Day, 2030-01-31.")] = None,
    headline: Annotated[str | None, typer.Option(help="Instead of the state's own.")] = None,
    message: Annotated[str | None, typer.Option(help="Instead of the state's own.")] = None,
) -> None:
    """Append a change of the clinic's state, now or at a later time."""
    with opened_database() as engine, writing(engine) as session:
        change = StatusChangeCreate.model_validate(
            {
                "state": state,
                "mode": mode,
                "effective_from": effective_from,
                "reopens_on": reopens_on,
                "headline": headline,
                "message": message,
            }
        )
        row = record_status_change(session, change=change)
        record_event(
            session,
            actor=COMMAND_LINE,
            action=Action.STATUS_CHANGED,
            details={"state": row.state, "mode": row.mode},
        )
        closed_out = close_out_where_closed(
            session, retention=read_settings().retention, actor=COMMAND_LINE
        )
        instant = row.takes_effect_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    typer.echo(f"{row.state} from {instant}, consultations: {row.mode}")
    if closed_out:
        typer.echo(f"{closed_out} open requests were closed out.")
