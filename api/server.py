"""`serve`: everything is looked at before the first request, and a fault is told in one line."""

import logging
import socket
import sys
from functools import partial

import uvicorn
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from api.http.connection import Connection
from api.http.open_connections import OpenConnections
from data.audit_chain import ChainFault, open_chain
from data.crypto import KeyringDocument, KeyringFault, parse_document, read_document, write_keyring
from data.database import name_fault, open_database, reading, take_lock, writing
from data.documents.files import SHIPPED_CONTENT, ContentFaults, read_content
from data.documents.status import find_status
from data.live_keyring import LiveKeyring, read_file, read_text
from data.operations.health import probe_writing
from data.operations.load import is_loaded, load_content
from data.postgresql import NotDurable
from data.schema import NEWEST_REVISION, find_revision, migrate
from data.sealing_keys import has_sealed_data
from models.settings import Settings

log = logging.getLogger("clinic_api")

_KEYRING_VARIABLE = "CLINIC_KEYRING"
# A worker that is slower than this is taken for stuck, killed and started anew. It counts from
# before its imports: with uvicorn's 5 s, a busy machine never gets a worker to its first request.
_WORKER_SECONDS = 60


class CannotStart(Exception):
    """Why the service cannot start, in one line that an operator can act upon."""


def configure_logging(settings: Settings) -> None:
    """Our own lines go to stderr, with their time; nobody else's level is touched."""
    log.setLevel(settings.log_level.upper())
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
    log.propagate = False


def prepare(settings: Settings) -> None:
    """Brings the database and the keys to where they can serve; raises `CannotStart`."""
    # In production a path with a typo must not begin an empty clinic.
    engine = open_database(settings.database_url, may_create=not settings.is_production)
    try:
        _prepare_database(engine, settings)
        open_audit(engine, settings, may_create=True)
    except DBAPIError as error:
        raise CannotStart(f"the database cannot be used ({name_fault(error)})") from None
    except NotDurable as error:
        raise CannotStart(f"the database loses what it has accepted: {error}") from None
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
        # A database that can only be read is found now, and not by the first request.
        probe_writing(session)
    with writing(engine) as session:
        take_lock(session.connection(), b"content")
        if not is_loaded(session):
            try:
                load_content(session, content=read_content(SHIPPED_CONTENT))
            except ContentFaults as faults:
                raise CannotStart(f"the shipped content has faults: {faults.faults[0]}") from None


def open_keyring(engine: Engine, settings: Settings, *, may_create: bool = False) -> LiveKeyring:
    """The keys, checked against the data; raises `CannotStart`."""
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
    """The same, and with them the audit's chain, so that events can be recorded."""
    keyring = open_keyring(engine, settings, may_create=may_create)
    try:
        open_chain(engine, keyring)
    except ChainFault as fault:
        raise CannotStart(str(fault)) from None
    return keyring


def read_keyring(settings: Settings) -> KeyringDocument:
    """The keys as they are given, whether or not they fit the data."""
    if settings.keyring is not None:
        return parse_document(settings.keyring.get_secret_value(), source=_KEYRING_VARIABLE)
    return read_document(settings.keyring_path)


def _create_keyring(engine: Engine, settings: Settings, *, may_create: bool) -> None:
    path = settings.keyring_path
    if settings.is_production or settings.keyring_file or not may_create:
        raise KeyringFault(f"there is no keyring at {path}")
    with reading(engine) as session:
        if has_sealed_data(session):
            raise KeyringFault(f"{path} is gone, and the data was sealed with it")
    write_keyring(path, generated=True)
    print(
        f"NEW KEY: {path} opens everything that patients send. Keep a copy elsewhere.",
        file=sys.stderr,
    )


def serve(settings: Settings) -> None:
    """Serves until it is told to stop; raises `CannotStart`."""
    prepare(settings)
    _require_free_port(settings)
    _greet(settings)
    open_connections = OpenConnections(
        per_address=settings.connections_per_address, trusted_proxies=settings.trusted_proxies
    )
    uvicorn.run(
        "main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        # Each worker has a copy, and counts for itself.
        http=partial(Connection, open_connections=open_connections),  # type: ignore[arg-type] # it is only called
        ws="none",
        loop="auto",
        lifespan="on",
        # Its lines about itself would hide the three that a person can use.
        log_level="warning",
        # Its access log prints query strings; ours has the route.
        access_log=False,
        server_header=False,
        # Nobody else's word is taken for who is calling.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=8,
        timeout_worker_healthcheck=_WORKER_SECONDS,
    )


def _require_free_port(settings: Settings) -> None:
    # Workers would each fail on their own, and their parent would start them again for ever.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise CannotStart(f"{where} cannot be listened on: {error.strerror}") from None


def _greet(settings: Settings) -> None:
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
