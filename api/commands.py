"""The commands about the clinic's state, requests, tokens and keys, as an operator types them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from api import server
from data import consultation_requests, crypto, retention, schema, staff_tokens
from data.audit import record_event
from data.closing import close_out_where_closed
from data.content_files import ContentFaults
from data.database import open_database, reading, writing
from data.postgresql import NotDurable
from data.status import NotLoaded, ReopeningPassed, find_status, record_status_change
from models.audit import COMMAND_LINE, Action
from models.settings import SettingsFault, read_settings
from models.staff_token import DEFAULT_DAYS, StaffTokenCreate
from models.status import StatusChangeCreate, StatusPublic
from models.terminal import as_json

status = typer.Typer(help="The clinic's state.", no_args_is_help=True)
requests = typer.Typer(help="What people sent.", no_args_is_help=True)
token = typer.Typer(help="Tokens for the clinic's staff.", no_args_is_help=True)
keys = typer.Typer(help="The keys that open what people sent.", no_args_is_help=True)


@contextmanager
def opened_database(*, current: bool = True) -> Iterator[Engine]:
    with one_line_faults():
        engine = open_database(read_settings().database_url)
        try:
            if current and not schema.is_current(engine):
                _fail("the database is not migrated: run `python main.py migrate`")
            yield engine
        finally:
            engine.dispose()


@contextmanager
def one_line_faults() -> Iterator[None]:
    try:
        yield
    except ContentFaults as error:
        _fail(str(error), prefix="")
    except ValidationError as error:
        _fail("; ".join(_validation_lines(error)))
    except ReopeningPassed:
        _fail("the day of reopening is over")
    except NotLoaded:
        _fail("the database holds no content: run `python main.py load`")
    except DBAPIError as error:
        _fail(f"the database cannot be used ({type(error.orig).__name__})")
    except NotDurable as error:
        _fail(f"the database loses what it has accepted: {error}")
    except (server.CannotStart, crypto.SealBroken, SettingsFault) as error:
        _fail(str(error) or "what was sealed cannot be opened: it was changed or moved")


def _validation_lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        yield ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])


def _fail(reason: str, *, prefix: str = "clinic-api: ") -> NoReturn:
    typer.echo(f"{prefix}{reason}", err=True)
    raise typer.Exit(1)


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


@requests.command("list")
def list_requests() -> None:
    """Every request, the newest first, without what was typed."""
    with opened_database() as engine, reading(engine) as session:
        for row in consultation_requests.list_requests(session):
            typer.echo(f"{row.id}  {row.received_at:%Y-%m-%dT%H:%M:%SZ}  {row.state}")


@requests.command("show")
def show_request(request_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One request, decrypted, for who holds the key. That it was read is written down."""
    with opened_database() as engine, writing(engine) as session:
        keyring = server.open_keyring(engine, read_settings())
        row = consultation_requests.find_request(session, request_id=request_id)
        if row is None:
            _fail("there is no such request")
        record_event(session, actor=COMMAND_LINE, action=Action.REQUEST_READ, subject=request_id)
        consents = consultation_requests.list_consents(session, request_id=request_id)
        document = {
            **_columns(row, "id", "state", "received_at", "updated_at"),
            "sent": consultation_requests.open_request(row, keyring=keyring),
            "consents": [
                _columns(consent, "purpose", "version", "text", "given_at") for consent in consents
            ],
        }
    typer.echo(as_json(document))


@keys.command("create")
def create_keys(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Write a keyring with one new key to a new file, for CLINIC_KEYRING_FILE."""
    try:
        crypto.write_keyring(file, generated=False)
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}")
    typer.echo(f"{file} opens everything that patients send. Keep a copy apart from the data.")


@requests.command("purge")
def purge_requests() -> None:
    """Erase the requests whose retention is over; the running service does so by itself."""
    purged = 0
    with opened_database() as engine:
        while True:
            with writing(engine) as session:
                done = retention.purge(session, actor=COMMAND_LINE)
            purged += done
            if not done:
                break
    typer.echo(f"{purged} requests were erased.")


@token.command("create")
def create_token(
    owner: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="What for; may be given more than once.")],
    days: Annotated[int, typer.Option(help="For how many days, 365 at the most.")] = DEFAULT_DAYS,
) -> None:
    """Make a token for the staff page or the staff endpoints, and show it this once."""
    with opened_database() as engine, writing(engine) as session:
        wanted = StaffTokenCreate.model_validate(
            {"owner": owner, "scopes": scope, "expires_in_days": days}
        )
        issued = staff_tokens.create_token(session, token=wanted, actor=COMMAND_LINE)
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
    """Revoke a token: it is refused from now on."""
    with opened_database() as engine, writing(engine) as session:
        row = staff_tokens.revoke_token(session, token_id=token_id, actor=COMMAND_LINE)
        if row is None:
            _fail("there is no such token")
    typer.echo(f"{token_id} is revoked.")


def _columns(row: SQLModel, *names: str) -> dict[str, object]:
    values = row.model_dump(mode="json", include=set(names))
    return {name: values[name] for name in names}
