"""The real application on a real, migrated database with the invented clinic of `tests/clinic`.

Tests with the mark `shipped` use the shipped clinic instead.
"""

import gc
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from data.crypto import write_keyring
from data.documents.files import SHIPPED_CONTENT, ContentFolder, read_content
from models.settings import Settings
from tests.support.apps import client_of, running, set_status, settings_in
from tests.support.audit import open_with_audit
from tests.support.clinic import clinic_content, prepare_database
from tests.support.databases import KINDS, Cluster, copied, own_database, rows_of
from tests.support.process import Service, serving


def pytest_collection_finish() -> None:
    """Excludes what is imported by now from garbage collection, which takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


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
    with made(clinic_content(), folder, database_kind, request):
        yield folder


@pytest.fixture(scope="session")
def prepared_shipped(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The same, with the clinic that is shipped."""
    folder = tmp_path_factory.mktemp("prepared-shipped")
    with made(read_content(SHIPPED_CONTENT), folder, database_kind, request):
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
def made(
    content: ContentFolder, folder: Path, kind: str, request: pytest.FixtureRequest
) -> Iterator[None]:
    write_keyring(folder / "keyring.json", generated=True)
    with own_database(kind, request, folder):
        prepare_database(folder, content=content)
        yield


def variant_of(request: pytest.FixtureRequest) -> str:
    """Which clinic a test uses, and in which state, as the names of fixtures have it."""
    shipped = "_shipped" if request.node.get_closest_marker("shipped") else ""
    is_open = "_open" if "open_clinic" in request.fixturenames else ""
    return shipped + is_open


def template_for(request: pytest.FixtureRequest) -> Path:
    """The prepared folder that a test starts from."""
    template: Path = request.getfixturevalue(f"prepared{variant_of(request)}")
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
    """The application. Its clinic is permanently closed; `open_clinic` opens it.

    Tests with the mark `shared` change nothing; all of them in one file use the same application.
    """
    name = "own_app"
    if request.node.get_closest_marker("shared"):
        name = f"shared{variant_of(request)}_app"
    app: FastAPI = request.getfixturevalue(name)
    return app


@pytest.fixture
async def own_app(folder: Path) -> AsyncIterator[FastAPI]:
    async with running(folder) as app:
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


def shared_by_a_file(template: str) -> Callable[..., AsyncIterator[FastAPI]]:
    """A fixture: one application for each file, on a copy of the folder of another fixture."""

    @pytest.fixture(scope="module")
    async def shared(
        database_kind: str,
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> AsyncIterator[FastAPI]:
        folder = tmp_path_factory.mktemp("shared")
        prepared: Path = request.getfixturevalue(template)
        async with unchanged(prepared, folder, database_kind, request) as app:
            yield app

    return shared


shared_app = shared_by_a_file("prepared")
shared_open_app = shared_by_a_file("prepared_open")
shared_shipped_app = shared_by_a_file("prepared_shipped")


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
