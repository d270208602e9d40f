"""`serve`: checks the settings, the keys and the database, then starts uvicorn."""

import logging
import socket
import sys
from functools import partial
from pathlib import Path

import uvicorn
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from api.http.connection import Connection
from api.http.open_connections import OpenConnections
from data.audit.chain import ChainFault, open_chain
from data.crypto import KeyringDocument, KeyringFault, parse_document, read_document, write_keyring
from data.database import name_fault, open_database, reading, take_lock, writing
from data.documents.files import SHIPPED_CONTENT, ContentFaults, read_content
from data.documents.status import find_status
from data.live_keyring import LiveKeyring, read_file, read_text
from data.operations.content_filling import fill_database, is_filled
from data.operations.health import probe_writing
from data.postgresql import NotDurable
from data.schema import NEWEST_REVISION, MigrationRefused, find_revision, migrate
from data.sealing_keys import has_sealed_data
from models.settings import SHIPPED, Settings

log = logging.getLogger("clinic_api")

_KEYRING_VARIABLE = "CLINIC_KEYRING"
# uvicorn kills and restarts a worker that does not answer within this time, which includes the time
# of its imports. With uvicorn's default of 5 s, no worker ever starts on a busy machine.
_WORKER_SECONDS = 60


class CannotStart(Exception):
    """The service cannot start. The message gives the reason, or the next step, in one line."""


def configure_logging(settings: Settings) -> None:
    """Logs our own lines to stderr, with the time. Does not change the loggers of libraries."""
    log.setLevel(settings.log_level.upper())
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
    log.propagate = False


def prepare(settings: Settings) -> None:
    """Prepares the database and the keys for serving. Raises `CannotStart`.

    In development, it creates what is missing.
    """
    # In production, a typo in the path must not create an empty database.
    engine = open_database(settings.database_url, may_create=not settings.is_production)
    try:
        _prepare_database(engine, settings)
        open_audit(engine, settings, may_create=True)
    except DBAPIError as error:
        raise CannotStart(f"the database cannot be used ({name_fault(error)})") from None
    except NotDurable as error:
        raise CannotStart(f"the database can lose committed data: {error}") from None
    except MigrationRefused as error:
        raise CannotStart(str(error)) from None
    finally:
        engine.dispose()


def _prepare_database(engine: Engine, settings: Settings) -> None:
    revision = find_revision(engine)
    if revision != NEWEST_REVISION:
        is_sqlite = make_url(settings.database_url).get_backend_name() == "sqlite"
        is_empty = revision is None
        if not is_sqlite or (is_empty and settings.is_production):
            raise CannotStart("the database is not migrated: run `python main.py migrate`")
        migrate(engine)
    with writing(engine) as session:
        # Detects a read-only database at the start, and not at the first request.
        probe_writing(session)
    with writing(engine) as session:
        take_lock(session.connection(), b"content")
        if not is_filled(session):
            _fill(session, settings)


def _fill(session: Session, settings: Settings) -> None:
    name = settings.content or (None if settings.is_production else SHIPPED)
    if name is None:
        raise CannotStart("the database is empty: CLINIC_CONTENT must name the content's folder")
    try:
        folder = read_content(SHIPPED_CONTENT if name == SHIPPED else Path(name))
        fill_database(session, folder=folder)
    except ContentFaults as faults:
        raise CannotStart(f"the content in CLINIC_CONTENT has faults: {faults.faults[0]}") from None


def open_keyring(engine: Engine, settings: Settings, *, may_create: bool = False) -> LiveKeyring:
    """The keyring, checked against the data. Raises `CannotStart`.

    With `may_create`, a missing file is created in development.
    """
    strict = settings.is_production
    try:
        if settings.keyring is not None:
            text = settings.keyring.get_secret_value()
            read = partial(read_text, text=text, source=_KEYRING_VARIABLE, strict=strict)
            return LiveKeyring(engine, read=read, file=None)
        file = settings.keyring_path
        if not file.exists():
            _create_keyring(engine, settings, may_create=may_create)
        return LiveKeyring(engine, read=partial(read_file, file=file, strict=strict), file=file)
    except KeyringFault as fault:
        raise CannotStart(f"the keys cannot be used: {fault}") from None


def open_audit(engine: Engine, settings: Settings, *, may_create: bool = False) -> LiveKeyring:
    """The keyring as by `open_keyring`. Also opens the audit, so that events can be recorded."""
    keyring = open_keyring(engine, settings, may_create=may_create)
    try:
        open_chain(engine, keyring)
    except ChainFault as fault:
        raise CannotStart(str(fault)) from None
    return keyring


def read_keyring(settings: Settings) -> KeyringDocument:
    """The keyring of the settings, without a check against the data. Raises `KeyringFault`."""
    if settings.keyring is not None:
        return parse_document(settings.keyring.get_secret_value(), source=_KEYRING_VARIABLE)
    return read_document(settings.keyring_path)


def _create_keyring(engine: Engine, settings: Settings, *, may_create: bool) -> None:
    path = settings.keyring_path
    if settings.is_production or settings.keyring_file or not may_create:
        raise KeyringFault(f"there is no keyring at {path}")
    with reading(engine) as session:
        if has_sealed_data(session):
            raise KeyringFault(f"{path} is missing, and the data was sealed with its keys")
    write_keyring(path, generated=True)
    print(
        f"NEW KEY: {path} opens everything that patients send. Keep a copy in another place.",
        file=sys.stderr,
    )


def serve(settings: Settings) -> None:
    """Serves until a signal stops the process. Raises `CannotStart`."""
    prepare(settings)
    _require_free_port(settings)
    _print_addresses(settings)
    open_connections = OpenConnections(
        per_address=settings.connections_per_address, trusted_proxies=settings.trusted_proxies
    )
    uvicorn.run(
        "main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        # Each worker counts its own connections.
        http=partial(Connection, open_connections=open_connections),  # type: ignore[arg-type] # it is only called
        ws="none",
        loop="auto",
        lifespan="on",
        # uvicorn's lines about its start would hide the lines of `_print_addresses`.
        log_level="warning",
        # uvicorn's access log contains query strings; ours contains the route instead.
        access_log=False,
        server_header=False,
        # X-Forwarded-For is trusted only from the listed proxies.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=8,
        timeout_worker_healthcheck=_WORKER_SECONDS,
    )


def _require_free_port(settings: Settings) -> None:
    # If the port is in use, each worker fails, and uvicorn restarts the workers without end.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            address = f"{settings.host}:{settings.port}"
            raise CannotStart(f"cannot listen on {address}: {error.strerror}") from None


def _print_addresses(settings: Settings) -> None:
    engine = open_database(settings.database_url)
    with reading(engine) as session:
        status = find_status(session)
    engine.dispose()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    print(f"Clinic API     {address}")
    print(f"Documentation  {address}/docs")
    print(
        f"The clinic is  {status.state.replace('_', ' ')}; consultations: {status.mode}", flush=True
    )
