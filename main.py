"""Clinic API: creates the application, and defines the commands (`python main.py --help`)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from starlette.middleware import Middleware

from api import loops, server
from api.access_events import AccessRecorder
from api.auth import REFUSED_RATE
from api.cache.responses import CachedAPI
from api.commands import demo
from api.commands.backup import back_up, restore
from api.commands.content import content
from api.commands.doctor import doctor
from api.commands.keys import keys
from api.commands.opening import one_line_faults, opened_database
from api.commands.requests import requests
from api.commands.status import status
from api.commands.tokens import token
from api.http.cors import Cors
from api.http.middleware import AccessLog, BodyLimit, DefaultHeaders, RequestId, UnhandledExceptions
from api.http.rates import AddressLimiter
from api.pages.openapi import INTRODUCTION, TAGS, DocumentedAPI, operation_id
from api.pages.openapi_webhooks import events
from api.problems.handlers import add_handlers
from api.public.readiness import ReadinessProbe
from api.router import router
from api.runtime import Runtime
from data import schema
from data.database import open_database
from data.intake.store import store_requests
from data.notifications.dispatch import DeliverySettings, Dispatcher
from data.notifications.mailer import MailSettings
from data.notifications.smtp import MailServer
from data.operations.health import Service
from data.operations.roles import grant_serving
from data.write_queue import BatchWriter, WriteQueue
from models.service import NAME, VERSION
from models.settings import ROOT, Settings, read_settings


class ClinicAPI(CachedAPI, DocumentedAPI):
    """FastAPI with a response cache for public reads, and with problem details in OpenAPI."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application. Its database is opened only when it starts (`_lifespan`)."""
    settings = settings or read_settings()
    app = ClinicAPI(
        title=NAME,
        version=VERSION,
        summary="A clinic's content, status and consultation intake as JSON.",
        description=INTRODUCTION,
        openapi_tags=TAGS,
        servers=[{"url": settings.public_url or "/", "description": "This service."}],
        webhooks=events,
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        # Its spans would contain query strings.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(RequestId),
            Middleware(AccessLog),
            Middleware(DefaultHeaders),
            Middleware(Cors, origins=settings.cors_origins),
            Middleware(UnhandledExceptions),
            Middleware(BodyLimit),
        ],
    )
    app.state.settings = settings
    add_handlers(app)
    app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: ClinicAPI) -> AsyncIterator[None]:
    """Opens the shared objects and runs the background tasks while the application runs."""
    settings: Settings = app.state.settings
    server.configure_logging(settings)
    runtime = app.state.runtime = _open_runtime(settings)
    stopped = asyncio.Event()
    tasks = [
        asyncio.create_task(app.answer_cache.keep_current(runtime.engine, stopped)),
        asyncio.create_task(loops.reload_keys(runtime.keyring, stopped)),
        asyncio.create_task(loops.run_upkeep(runtime, stopped)),
        asyncio.create_task(loops.run_deliveries(_dispatcher(runtime), stopped)),
    ]
    try:
        yield
    finally:
        stopped.set()
        await asyncio.gather(*tasks)
        await runtime.access.finish()
        runtime.write_queue.close()
        runtime.engine.dispose()


def _open_runtime(settings: Settings) -> Runtime:
    engine = open_database(settings.database_url)
    keyring = server.open_audit(engine, settings)
    queue = WriteQueue(engine)
    storage = settings.rate_storage.get_secret_value() if settings.rate_storage else None
    return Runtime(
        settings=settings,
        engine=engine,
        keyring=keyring,
        write_queue=queue,
        intake=BatchWriter(
            partial(
                store_requests,
                keyring=keyring,
                emails=settings.emails,
                form_grace=settings.form_grace,
            ),
            queue=queue,
        ),
        access=AccessRecorder(queue),
        readiness=ReadinessProbe(Service(engine, keyring, settings), queue=queue),
        intake_limiter=AddressLimiter("intake", settings.intake_rate, storage=storage),
        refused_limiter=AddressLimiter("refused-tokens", REFUSED_RATE, storage=storage),
    )


def _dispatcher(runtime: Runtime) -> Dispatcher:
    settings = runtime.settings
    return Dispatcher(
        runtime.engine,
        settings=DeliverySettings(mail=_mail_settings(settings), allowed=settings.webhook_networks),
        keyring=runtime.keyring,
        queue=runtime.write_queue,
    )


def _mail_settings(settings: Settings) -> MailSettings:
    server = None
    if settings.smtp_url and settings.mail_from:
        url, sender = settings.smtp_url.get_secret_value(), settings.mail_from
        server = MailServer(url, sender=sender, plain=bool(settings.smtp_plain))
    return MailSettings(
        server=server,
        notify_to=settings.notify_to,
        public_url=settings.public_url,
        receipt_url=settings.receipt_url,
        letters_per_recipient=settings.letters_per_recipient,
    )


def __getattr__(name: str) -> FastAPI:
    """Creates `main:app` on demand, for servers other than `serve`. Commands do not need it."""
    if name == "app":
        return create_app()
    raise AttributeError(name)


# No pretty tracebacks: they show local variables, which may contain what a patient typed.
command_line = typer.Typer(
    help=f"{NAME} {VERSION}: a clinic's content, status and consultation intake as JSON.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
command_line.add_typer(content, name="content")
command_line.add_typer(status, name="status")
command_line.add_typer(requests, name="requests")
command_line.add_typer(token, name="token")
command_line.add_typer(keys, name="keys")
command_line.command("backup")(back_up)
command_line.command("restore")(restore)
command_line.command("doctor")(doctor)


@command_line.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes.", min=1, max=64)] = None,
) -> None:
    """Check settings, keys and database, then serve the API."""
    given = {"host": host, "port": port, "workers": workers}
    with one_line_faults():
        settings = read_settings(**{name: value for name, value in given.items() if value})
        server.serve(settings)


@command_line.command("demo")
def demo_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    first_port: Annotated[int, typer.Option(help="Port of the first service.", min=1)] = 8001,
    folder: Annotated[Path, typer.Option(help="Folder for their data.")] = ROOT / "var" / "demo",
) -> None:
    """Serve the clinic in five states side by side.

    Open, with a waiting list, open but paused, temporarily closed, permanently closed.
    """
    with one_line_faults():
        demo.run(folder=folder.absolute(), host=host, first_port=first_port)


@command_line.command()
def migrate() -> None:
    """Migrate the database to the newest schema."""
    with one_line_faults():
        settings = read_settings()
    with opened_database(settings.owner_url, current=False, may_create=True) as engine:
        schema.migrate(engine)
        if settings.migration_database_url:
            grant_serving(engine, serving_url=settings.database_url)
        typer.echo(f"The database is at revision {schema.find_revision(engine)}.")


if __name__ == "__main__":
    command_line()
