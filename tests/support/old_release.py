"""A database with the rows that release 0.1.0 wrote.

It loaded the invented clinic on 2025-03-01 and changed files of it on 2025-05-04 and 2025-07-01. A
patient sent a request on 2025-03-05. The key in the file was made for these rows only.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, MetaData, Table, select

from data import schema
from data.database import open_database
from tests.support.apps import client_of, running
from tests.support.databases import url_of

SCHEMA = "0008"
_RELEASE = json.loads(Path(__file__).with_name("release_0_1_0.json").read_text(encoding="utf-8"))
RECEIPT = {"Authorization": f"Bearer {_RELEASE['receipt_token']}"}

Row = dict[str, Any]
Rows = dict[str, list[Row]]
CONTENT_TABLES = ("clinic", "status_content", "consultation_form", "notice", "section", "faq",
                  "former_slug", "status_change")  # fmt: skip

_READERS: Mapping[type, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    bytes: bytes.fromhex,
}


def old_rows() -> Rows:
    """The rows by table. A test can change them before it stores them."""
    rows: Rows = json.loads(json.dumps(_RELEASE["rows"]))
    return rows


def row_of(rows: Rows, table: str, slug: str) -> Row:
    return next(row for row in rows[table] if row["slug"] == slug)


def store_old(folder: Path, rows: Rows | None = None) -> Engine:
    """Makes the database of a folder with the old schema and rows, and the key file."""
    (folder / "keyring.json").write_text(json.dumps(_RELEASE["keyring"]))
    (folder / "keyring.json").chmod(0o600)
    engine = open_database(url_of(folder), may_create=True)
    schema.migrate(engine, to=SCHEMA)
    with engine.execution_options(writes=True).begin() as connection:
        for name, of_table in (rows or old_rows()).items():
            table = Table(name, MetaData(), autoload_with=connection)
            for row in of_table:
                connection.execute(table.insert().values(_typed(table, row)))
    return engine


def _typed(table: Table, row: Row) -> Row:
    """JSON has no days, times and bytes, so the file has them as text."""
    typed = {}
    for name, value in row.items():
        read = _READERS.get(table.c[name].type.python_type)
        typed[name] = read(value) if read and isinstance(value, str) else value
    return typed


def stored_content(engine: Engine) -> Rows:
    """The rows of the old tables, without ids."""
    with engine.connect() as connection:
        return {name: _stored(connection, name) for name in CONTENT_TABLES}


def downgraded(engine: Engine) -> Rows:
    """The rows of the old tables after a downgrade."""
    schema.revert(engine, to=SCHEMA)
    return stored_content(engine)


def _stored(connection: Connection, name: str) -> list[Row]:
    table = Table(name, MetaData(), autoload_with=connection)
    rows = connection.execute(select(table).order_by(*table.primary_key.columns))
    return [
        {
            column: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
            for column, value in row._mapping.items()
            if column != "id"
        }
        for row in rows
    ]


@asynccontextmanager
async def upgraded(
    folder: Path, rows: Rows | None = None
) -> AsyncIterator[tuple[httpx.AsyncClient, Engine]]:
    """Upgrades the old database of a folder and serves it."""
    engine = store_old(folder, rows)
    schema.migrate(engine)
    engine.dispose()
    async with running(folder) as app, client_of(app) as client:
        yield client, app.state.runtime.engine


async def body_at(client: httpx.AsyncClient, path: str) -> Row:
    """The body of a 200."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    body: Row = answer.json()
    return body
