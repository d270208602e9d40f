"""The real application on a real, migrated database with the shipped content."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.server import prepare
from data.crypto import write_keyring
from data.database import writing
from data.status import record_status_change
from main import create_app
from models.settings import Settings
from models.status import StatusChangeCreate


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database as `serve` leaves it, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    write_keyring(folder / "keyring.json", generated=True)
    prepare(settings_in(folder))
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    for file in prepared.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


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
    engine: Engine = app.state.engine
    return engine


@pytest.fixture
def open_clinic(engine: Engine) -> None:
    set_status(engine, state="open")


def settings_in(folder: Path, **changes: object) -> Settings:
    values = {
        "database_url": f"sqlite:///{folder}/clinic.db",
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
        record_status_change(session, change=StatusChangeCreate.model_validate(change))
