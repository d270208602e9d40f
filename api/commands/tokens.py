"""Tokens for the clinic's staff."""

from typing import Annotated

import typer

from api.commands.opening import fail, opened_database, opened_for_events
from data import staff_tokens
from data.database import reading, writing
from models.audit import COMMAND_LINE
from models.staff_token import DEFAULT_DAYS, StaffTokenCreate

token = typer.Typer(help="Tokens for the clinic's staff.", no_args_is_help=True)


@token.command("create")
def create_token(
    owner: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="What for; may be given more than once.")],
    days: Annotated[int, typer.Option(help="For how many days, 365 at the most.")] = DEFAULT_DAYS,
) -> None:
    """Make a token for the staff page or the staff endpoints, and show it this once."""
    with opened_for_events() as (engine, _), writing(engine) as session:
        wanted = StaffTokenCreate.model_validate(
            {"owner": owner, "scopes": scope, "expires_in_days": days}
        )
        issued = staff_tokens.create_token(session, token=wanted, maker_id=None)
    typer.echo(issued.token)
    typer.echo(f"Good until {issued.expires_at:%Y-%m-%d}. It is shown here only.", err=True)


@token.command("list")
def list_tokens() -> None:
    """Every token, the newest first, without its secret."""
    with opened_database() as engine, reading(engine) as session:
        for row in staff_tokens.list_tokens(session, limit=10_000).items:
            state = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
            used = f"{row.last_used_at:%Y-%m-%dT%H:%MZ}" if row.last_used_at else "never"
            typer.echo(f"{row.id}  {state}  used {used}  {' '.join(row.scopes)}  {row.owner}")


@token.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Revoke a token and all that it made: they are refused from now on."""
    with opened_for_events() as (engine, _), writing(engine) as session:
        done = staff_tokens.revoke_token(session, token_id=token_id, actor=COMMAND_LINE)
        if done is None:
            fail("there is no such token")
    typer.echo(f"{token_id} is revoked.")
    if done.others:
        typer.echo(f"{done.others} that it made ended with it.")
