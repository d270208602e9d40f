"""Clinic API: the application, and its one command line (`python main.py --help`)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel
from starlette.middleware import Middleware

from api import server
from api.errors import add_handlers
from api.intake import IntakeLimiter, KeyLocks
from api.middleware import (
    AccessLog,
    BodyLimit,
    Cors,
    DefaultHeaders,
    LastResort,
    RequestId,
)
from api.openapi import INTRODUCTION, TAGS, DocumentedAPI, operation_id
from api.response_cache import CachedAPI
from api.router import router
from data import consultation_requests, crypto, schema
from data.content_checks import check_content
from data.content_files import SHIPPED_CONTENT, ContentFaults, read_content
from data.database import count_writers, open_database, reading, writing
from data.load import load_content
from data.postgresql import NotDurable
from data.status import NotLoaded, ReopeningPassed, find_status, record_status_change
from models.service import NAME, VERSION
from models.settings import Settings, SettingsFault, read_settings
from models.status import StatusChangeCreate, StatusPublic
from models.terminal import as_json


class ClinicAPI(CachedAPI, DocumentedAPI):
    """FastAPI, with its public reads from memory and its errors as problem details."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; its database is opened when it starts."""
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: ClinicAPI) -> AsyncIterator[None]:
        server.configure_logging(settings)
        app.state.engine = open_database(settings.database_url)
        app.state.writers = asyncio.Semaphore(count_writers(app.state.engine))
        app.state.keyring = server.open_keyring(app.state.engine, settings)
        stopped = asyncio.Event()
        follower = asyncio.create_task(app.kept.follow(app.state.engine, stopped))
        yield
        stopped.set()
        await follower
        app.state.engine.dispose()

    app = ClinicAPI(
        title=NAME,
        version=VERSION,
        summary="A clinic's content, status and consultation intake as JSON.",
        description=INTRODUCTION,
        openapi_tags=TAGS,
        servers=[{"url": "/", "description": "Where this document comes from."}],
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        # Spans would carry query strings.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(RequestId),
            Middleware(AccessLog),
            Middleware(DefaultHeaders),
            Middleware(Cors, origins=settings.cors_origins),
            Middleware(LastResort),
            Middleware(BodyLimit),
        ],
    )
    app.state.settings = settings
    app.state.key_locks = KeyLocks()
    app.state.intake_limiter = IntakeLimiter(settings.intake_rate)
    add_handlers(app)
    app.include_router(router)
    return app


def __getattr__(name: str) -> FastAPI:
    """`main:app` for a server that is started without `serve`; no command needs it made."""
    if name == "app":
        return create_app()
    raise AttributeError(name)


# What a command holds may be what a patient typed: a traceback must not show it.
command_line = typer.Typer(
    help=f"{NAME} {VERSION}: a clinic's content, status and consultation intake as JSON.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
status_commands = typer.Typer(help="The clinic's state.", no_args_is_help=True)
requests_commands = typer.Typer(help="What people sent.", no_args_is_help=True)
keys_commands = typer.Typer(help="The keys that open what people sent.", no_args_is_help=True)
command_line.add_typer(status_commands, name="status")
command_line.add_typer(requests_commands, name="requests")
command_line.add_typer(keys_commands, name="keys")

ContentFolder = Annotated[Path, typer.Argument(help="Folder of the content files.")]


@command_line.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.", min=1, max=64)] = None,
) -> None:
    """Serve the API, after a look at everything it needs."""
    given = {"host": host, "port": port, "workers": workers}
    with _one_line_faults():
        settings = read_settings(**{name: value for name, value in given.items() if value})
        server.serve(settings)


@command_line.command()
def migrate() -> None:
    """Bring the database's schema to the newest revision."""
    with _database(current=False) as engine:
        schema.migrate(engine)
        typer.echo(f"The database is at revision {schema.find_revision(engine)}.")


@command_line.command("load")
def load_command(folder: ContentFolder = SHIPPED_CONTENT) -> None:
    """Bring the content files into the database; what is unchanged stays as it is."""
    with _database() as engine, writing(engine) as session:
        loaded = load_content(session, content=read_content(folder))
    typer.echo(f"{len(loaded.added)} added, {len(loaded.changed)} changed.")
    for name in (*loaded.added, *loaded.changed):
        typer.echo(f"  {name}")


@command_line.command()
def check(folder: ContentFolder = SHIPPED_CONTENT) -> None:
    """Look for faults in the content files, each with its file, line and reason."""
    with _one_line_faults():
        content = read_content(folder)
        faults = check_content(content)
        if faults:
            raise ContentFaults(faults)
    typer.echo(f"No fault in {len(content.sections)} sections and {len(content.faqs.faqs)} FAQs.")


@status_commands.command("show")
def show_status() -> None:
    """What is true of the clinic now."""
    with _database() as engine, reading(engine) as session:
        typer.echo(StatusPublic.of(find_status(session)).model_dump_json(indent=2))


@status_commands.command("set")
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
    with _database() as engine, writing(engine) as session:
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
        instant = row.takes_effect_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    typer.echo(f"{row.state} from {instant}, consultations: {row.mode}")


@requests_commands.command("list")
def list_requests() -> None:
    """Every request, the newest first, without what was typed."""
    with _database() as engine, reading(engine) as session:
        for row in consultation_requests.list_requests(session):
            typer.echo(f"{row.id}  {row.received_at:%Y-%m-%dT%H:%M:%SZ}  {row.state}")


@requests_commands.command("show")
def show_request(request_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One request, decrypted, for who holds the key."""
    with _database() as engine, reading(engine) as session:
        keyring = server.open_keyring(engine, read_settings())
        row = consultation_requests.find_request(session, request_id=request_id)
        if row is None:
            _fail("there is no such request")
        consents = consultation_requests.list_consents(session, request_id=request_id)
        document = {
            **_columns(row, "id", "state", "received_at", "updated_at"),
            "sent": consultation_requests.open_request(row, keyring=keyring),
            "consents": [
                _columns(consent, "purpose", "version", "text", "given_at") for consent in consents
            ],
        }
    typer.echo(as_json(document))


@keys_commands.command("create")
def create_keys(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Write a keyring with one new key to a new file, for CLINIC_KEYRING_FILE."""
    try:
        crypto.write_keyring(file, generated=False)
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}")
    typer.echo(f"{file} opens everything that patients send. Keep a copy apart from the data.")


def _columns(row: SQLModel, *names: str) -> dict[str, object]:
    values = row.model_dump(mode="json", include=set(names))
    return {name: values[name] for name in names}


@contextmanager
def _database(*, current: bool = True) -> Iterator[Engine]:
    with _one_line_faults():
        engine = open_database(read_settings().database_url)
        try:
            if current and not schema.is_current(engine):
                _fail("the database is not migrated: run `python main.py migrate`")
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _one_line_faults() -> Iterator[None]:
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


if __name__ == "__main__":
    command_line()
