"""The real application on a real, migrated database with the shipped content."""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
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
from tests.support.apps import (
    client_of,
    new_app,
    set_status,
    settings_in,
)
from tests.support.databases import KINDS, Cluster, own_database, url_of
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


@pytest.fixture
def settings(folder: Path) -> Settings:
    return settings_in(folder)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = new_app(settings)
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
