"""Fixtures: the real application on a real, migrated database with the shipped content."""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.server import prepare
from data.crypto import write_keyring
from data.database import open_database
from data.schema import migrate
from models.settings import Settings
from tests.support.apps import client_of, running, set_status, settings_in
from tests.support.audit import open_with_audit
from tests.support.databases import KINDS, Cluster, own_database, rows_of, url_of
from tests.support.process import Service, serving


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test that uses a database on both kinds, or on those in its mark `database`."""
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
    """The PostgreSQL server of this test run."""
    cluster = Cluster(os.environ.get("CLINIC_TEST_DATABASE_URL"))
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def prepared(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with a migrated and loaded database and its keys, made once for each kind."""
    folder = tmp_path_factory.mktemp("prepared")
    write_keyring(folder / "keyring.json", generated=True)
    with own_database(database_kind, request, folder):
        engine = open_database(url_of(folder), may_create=True)
        migrate(engine)
        engine.dispose()
        prepare(settings_in(folder))
        yield folder


@pytest.fixture(scope="session")
def prepared_open(
    prepared: Path,
    database_kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """A copy of the prepared folder in which the clinic is open."""
    folder = tmp_path_factory.mktemp("prepared-open")
    with copied(prepared, folder, database_kind, request):
        engine = open_with_audit(folder)
        set_status(engine, state="open")
        engine.dispose()
        yield folder


@contextmanager
def copied(
    template: Path, folder: Path, kind: str, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Copies a prepared folder, and its database where this is a PostgreSQL database."""
    for file in template.iterdir():
        shutil.copy(file, folder)
    with own_database(kind, request, folder, template=template):
        yield


def template_for(request: pytest.FixtureRequest) -> Path:
    """The prepared folder that a test starts from."""
    is_open = "open_clinic" in request.fixturenames
    template: Path = request.getfixturevalue("prepared_open" if is_open else "prepared")
    return template


@pytest.fixture
def folder(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of a prepared folder for one test."""
    with copied(template_for(request), tmp_path, database_kind, request):
        yield tmp_path


@pytest.fixture
def open_clinic() -> None:
    """Opens the clinic: `folder` and `app` start from the prepared folder that has it open."""


@pytest.fixture(scope="module")
def service(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that the tests of one file share."""
    folder = tmp_path_factory.mktemp("served")
    for file in prepared.iterdir():
        shutil.copy(file, folder)
    with serving(folder, log=folder / "log") as service:
        yield service


@pytest.fixture
def empty_folder(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Path]:
    """A folder for a new database: no SQLite file yet, or an empty PostgreSQL database."""
    with own_database(database_kind, request, tmp_path):
        yield tmp_path


@pytest.fixture
def settings(folder: Path) -> Settings:
    return settings_in(folder)


@pytest.fixture
def app(database_kind: str, request: pytest.FixtureRequest) -> FastAPI:
    """The application. The shipped clinic is permanently closed; `open_clinic` opens it.

    Tests with the mark `shared` change nothing; all of them in one file use the same application.
    """
    owner = "own"
    if request.node.get_closest_marker("shared"):
        owner = "shared_open" if "open_clinic" in request.fixturenames else "shared"
    app: FastAPI = request.getfixturevalue(f"{owner}_app")
    return app


@pytest.fixture
async def own_app(folder: Path) -> AsyncIterator[FastAPI]:
    async with running(folder) as app:
        yield app


@pytest.fixture(scope="module")
async def shared_app(
    prepared: Path,
    database_kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[FastAPI]:
    async with unchanged(
        prepared, tmp_path_factory.mktemp("shared"), database_kind, request
    ) as app:
        yield app


@pytest.fixture(scope="module")
async def shared_open_app(
    prepared_open: Path,
    database_kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("shared-open")
    async with unchanged(prepared_open, folder, database_kind, request) as app:
        yield app


@asynccontextmanager
async def unchanged(
    template: Path, folder: Path, kind: str, request: pytest.FixtureRequest
) -> AsyncIterator[FastAPI]:
    """A running application; asserts at the end that no row of its database changed."""
    with copied(template, folder, kind, request):
        async with running(folder) as app:
            engine = app.state.runtime.engine
            before = rows_of(engine, without="health_probe")
            yield app
            assert rows_of(engine, without="health_probe") == before


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, without a network."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def engine(app: FastAPI) -> Engine:
    engine: Engine = app.state.runtime.engine
    return engine


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Captures the service's log lines, which do not reach the root logger."""
    logger = logging.getLogger("clinic_api")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
