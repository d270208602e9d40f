"""The application in the process of the tests, and changes of its clinic's state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import col, select
from starlette.routing import BaseRoute

from data.database import writing
from data.documents.content_version import record_change
from data.operations.status_changes import change_status
from main import create_app
from models.audit import COMMAND_LINE
from models.settings import Settings
from models.status_change import StatusChange, StatusChangeCreate
from models.values import utc_now
from tests.support.databases import url_of

# The routes of the first application, shared by all later ones.
_ROUTES: list[BaseRoute] = []


def settings_in(folder: Path, **changes: object) -> Settings:
    """Settings for the database and the keyring in a folder, without a rate limit."""
    values = {
        "database_url": url_of(folder),
        "keyring_file": folder / "keyring.json",
        "intake_rate": "",
        **changes,
    }
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # checked by Settings


def new_app(settings: Settings) -> FastAPI:
    """A new application that uses the routes of the first one in this process.

    FastAPI builds the routes at the first requests, which takes 45 ms. They are the same for all
    settings.
    """
    app = create_app(settings)
    if not _ROUTES:
        _ROUTES.extend(app.router.routes)
    assert [type(route) for route in app.router.routes] == [type(route) for route in _ROUTES]
    app.router.routes[:] = _ROUTES
    return app


@asynccontextmanager
async def running(folder: Path, **changes: object) -> AsyncIterator[FastAPI]:
    """Runs a new application: enters its lifespan, and leaves it at the end."""
    app = new_app(settings_in(folder, **changes))
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """An HTTP client of an application, which sees `address` as the client's address."""
    transport = httpx.ASGITransport(app, client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url="http://clinic.example")


def set_status(engine: Engine, **change: object) -> None:
    """Changes the clinic's status as the command line does."""
    with writing(engine) as session:
        change_status(
            session,
            change=StatusChangeCreate.model_validate(change),
            retention={},
            actor=COMMAND_LINE,
        )


def let_plans_take_effect(engine: Engine) -> None:
    """Moves every planned status change to now, including those that were called off."""
    with writing(engine) as session:
        now = utc_now()
        for row in session.exec(
            select(StatusChange).where(col(StatusChange.takes_effect_at) > now)
        ):
            row.takes_effect_at = row.effective_from = now
            session.add(row)
        record_change(session, name="status change")


def let_clinic_close(engine: Engine) -> None:
    """Closes the clinic permanently by a plan; upkeep has not closed out its open requests yet."""
    later = utc_now() + timedelta(days=1)
    set_status(engine, state="permanently_closed", effective_from=later)
    let_plans_take_effect(engine)
