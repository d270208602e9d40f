"""Commands for staff tokens."""

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
    owner: Annotated[str, typer.Option(help="Name of the person who will use it.")],
    scope: Annotated[list[str], typer.Option(help="A scope; may be given more than once.")],
    days: Annotated[int, typer.Option(help="Days until it expires, at most 365.")] = DEFAULT_DAYS,
) -> None:
    """Create a token for the staff page or the staff endpoints. It is shown only once."""
    with opened_for_events() as (engine, _), writing(engine) as session:
        wanted = StaffTokenCreate.model_validate(
            {"owner": owner, "scopes": scope, "expires_in_days": days}
        )
        issued = staff_tokens.create_token(session, token=wanted, maker_id=None)
    typer.echo(issued.token)
    typer.echo(f"It expires on {issued.expires_at:%Y-%m-%d} and is not shown again.", err=True)


@token.command("list")
def list_tokens() -> None:
    """List all tokens, the newest first, without their secrets."""
    with opened_database() as engine, reading(engine) as session:
        for row in staff_tokens.list_tokens(session, limit=10_000).items:
            state = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
            used = f"{row.last_used_at:%Y-%m-%dT%H:%MZ}" if row.last_used_at else "never"
            typer.echo(f"{row.id}  {state}  used {used}  {' '.join(row.scopes)}  {row.owner}")


@token.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Revoke a token, and all tokens that it made."""
    with opened_for_events() as (engine, _), writing(engine) as session:
        done = staff_tokens.revoke_token(session, token_id=token_id, actor=COMMAND_LINE)
        if done is None:
            fail("there is no such token")
    typer.echo(f"{token_id} is revoked.")
    if done.others:
        typer.echo(f"Also revoked, because it made them: {done.others}")
