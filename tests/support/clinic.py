"""The invented clinic that the tests use."""

from pathlib import Path

from api.server import prepare
from data.database import open_database, writing
from data.documents.files import ContentFolder, read_content
from data.operations.content_filling import fill_database
from data.schema import migrate
from tests.support.apps import settings_in
from tests.support.databases import url_of

# The shipped texts change with what the clinic says. These change only with the tests.
CLINIC = Path(__file__).resolve().parents[1] / "clinic"
TIME_ZONE = "America/Chicago"
CLOSURE = {
    "records_contact": "records@physio.example",
    "records_url": "https://physio.example/records",
    "note": None,
}


def clinic_content() -> ContentFolder:
    """The content of the invented clinic."""
    return read_content(CLINIC)


def prepare_database(folder: Path, *, content: ContentFolder | None = None) -> None:
    """A database as `serve` leaves it, with the invented clinic unless `content` is given.

    `folder` contains the keyring.
    """
    engine = open_database(url_of(folder), may_create=True)
    migrate(engine)
    engine.dispose()
    fill(folder, content=content)
    prepare(settings_in(folder))


def fill(folder: Path, *, content: ContentFolder | None = None) -> None:
    """Fills a migrated database, with the invented clinic unless `content` is given."""
    engine = open_database(url_of(folder))
    with writing(engine) as session:
        fill_database(session, folder=content or clinic_content())
    engine.dispose()
