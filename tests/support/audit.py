"""A database whose audit can be written, for tests that open it beside the service."""

from pathlib import Path

from sqlalchemy import Engine

from api.server import open_audit
from data.database import open_database
from tests.conftest import settings_in
from tests.support.databases import url_of


def open_with_audit(folder: Path) -> Engine:
    """The engine of a folder's database; its sessions may record events, with the folder's keys."""
    engine = open_database(url_of(folder))
    open_audit(engine, settings_in(folder))
    return engine
