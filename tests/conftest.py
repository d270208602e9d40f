"""The real application on a real, migrated database with the shipped content."""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import col, select

from api.server import prepare
from data.crypto import write_keyring
from data.database import open_database, writing
from data.documents.publications import record_change
from data.operations.status_changes import change_status
from data.schema import migrate
from main import create_app
from models.audit import COMMAND_LINE
from models.publication import Kind
from models.settings import Settings
from models.status_change import StatusChange, StatusChangeCreate
from models.values import utc_now
from tests.support.databases import KINDS, Cluster, url_of, use
from tests.support.process import Service, serving


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever uses a database runs on both, or on those that its mark `database` names."""
    if "database_kind" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("database")
        metafunc.parametrize(
            "database_kind", mark.args if mark else KINDS, indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(os.environ.get("CLINIC_TEST_DATABASE_URL"))
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def prepared(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with a database as `serve` leaves it, made once for each kind."""
    folder = tmp_path_factory.mktemp("prepared")
    write_keyring(folder / "keyring.json", generated=True)
    with own_database(database_kind, request, folder):
        engine = open_database(url_of(folder), may_create=True)
        migrate(engine)
        engine.dispose()
        prepare(settings_in(folder))
        yield folder


@pytest.fixture
def folder(
    database_kind: str, prepared: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Path]:
    """A copy of it for one test."""
    for file in prepared.iterdir():
        shutil.copy(file, tmp_path)
    with own_database(database_kind, request, tmp_path, template=prepared):
        yield tmp_path


@pytest.fixture(scope="module")
def service(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that the tests of one file share."""
    folder = tmp_path_factory.mktemp("shared")
    for file in prepared.iterdir():
        shutil.copy(file, folder)
    with serving(folder, log=folder / "log") as service:
        yield service


@pytest.fixture
def empty_folder(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Path]:
    """A folder whose database was just created."""
    with own_database(database_kind, request, tmp_path):
        yield tmp_path


@contextmanager
def own_database(
    kind: str, request: pytest.FixtureRequest, folder: Path, *, template: Path | None = None
) -> Iterator[None]:
    if kind == "sqlite":
        yield
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.create(template=url_of(template) if template else None)
    use(folder, url)
    yield
    cluster.drop(url)


@pytest.fixture
def settings(folder: Path) -> Settings:
    return settings_in(folder)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the application; the clinic is permanently closed, as shipped."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def engine(app: FastAPI) -> Engine:
    engine: Engine = app.state.runtime.engine
    return engine


@pytest.fixture
def open_clinic(engine: Engine) -> None:
    set_status(engine, state="open")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The service's own log lines, which do not reach the root logger."""
    logger = logging.getLogger("clinic_api")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def settings_in(folder: Path, **changes: object) -> Settings:
    values = {
        "database_url": url_of(folder),
        "keyring_file": folder / "keyring.json",
        "intake_rate": "",
        **changes,
    }
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by Settings


def client_of(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url="http://clinic.example")


def set_status(engine: Engine, **change: object) -> None:
    with writing(engine) as session:
        change_status(
            session,
            change=StatusChangeCreate.model_validate(change),
            retention={},
            actor=COMMAND_LINE,
        )


def let_plans_take_effect(engine: Engine) -> None:
    """As if every status change had been planned for this moment, those called off too."""
    with writing(engine) as session:
        now = utc_now()
        for row in session.exec(
            select(StatusChange).where(col(StatusChange.takes_effect_at) > now)
        ):
            row.takes_effect_at = row.effective_from = now
            session.add(row)
        record_change(session, kind=Kind.STATUS_CHANGE)


def let_clinic_close(engine: Engine) -> None:
    """The clinic is closed for good by a plan, and upkeep has not ended its open requests yet."""
    later = utc_now() + timedelta(days=1)
    set_status(engine, state="permanently_closed", effective_from=later)
    let_plans_take_effect(engine)
