"""Words of release 0.1.0 that the migration 0009 changes, leaves out or refuses."""

from pathlib import Path

import pytest

from api.server import CannotStart, prepare
from data import schema
from data.database import open_database
from tests.support.apps import client_of, running, settings_in
from tests.support.commands import invoke
from tests.support.databases import url_of
from tests.support.intake import CONSENT, PATH
from tests.support.old_release import (
    SCHEMA,
    body_at,
    old_rows,
    row_of,
    store_old,
    stored_content,
    upgraded,
)
from tests.support.staff import opened, signed_in


def test_unusable_words_stop_the_upgrade(empty_folder: Path) -> None:
    """A text that the new version cannot use is reported in one line, and nothing changes."""
    rows = old_rows()
    row_of(rows, "section", "recovery")["title"] = "Long " * 41
    engine = store_old(empty_folder, rows)
    before = stored_content(engine)
    done = invoke("migrate", folder=empty_folder)
    reason = "this version cannot use section recovery: title: "
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"clinic-api: {reason}")
    assert len(done.stderr.splitlines()) == 1
    if engine.name == "sqlite":
        with pytest.raises(CannotStart, match=reason):
            prepare(settings_in(empty_folder))
    assert schema.find_revision(engine) == SCHEMA
    assert stored_content(engine) == before
    engine.dispose()


async def test_a_replaced_form_that_cannot_be_used(empty_folder: Path) -> None:
    """A replaced version of the form does not stop the upgrade: it cannot be corrected any more."""
    rows = old_rows()
    rows["consultation_form"][0]["document"]["confirmation"] = "Long " * 500
    [request] = rows["consultation_request"]
    async with upgraded(empty_folder, rows) as (client, engine):
        assert (await body_at(client, f"{PATH}/form"))["version"] == 2
        read = (await opened(client, request["id"], signed_in(engine))).json()
        assert read["sent"]["name"] == "Ada"
        assert [consent["text"] for consent in read["consents"]] == [CONSENT]
        before = await body_at(client, "/v1/sections")
    engine = open_database(url_of(empty_folder))
    schema.revert(engine, to=SCHEMA)
    schema.migrate(engine)
    engine.dispose()
    async with running(empty_folder) as app, client_of(app) as client:
        assert await body_at(client, "/v1/sections") == before


async def test_spellings_of_the_old_version(empty_folder: Path) -> None:
    """A line break at the end of a line, a repeated notice and an unknown keyboard are dropped."""
    rows = old_rows()
    recovery = row_of(rows, "section", "recovery")
    recovery |= {"title": "Recovery\n", "notices": ["stop-if-it-hurts"] * 2}
    rows["consultation_form"][1]["document"]["fields"]["name"]["input_mode"] = "letters"
    async with upgraded(empty_folder, rows) as (client, _):
        section = await body_at(client, "/v1/sections/recovery")
        assert section["title"] == "Recovery"
        notices = [notice["slug"] for notice in section["notices"]]
        assert notices == ["ask-your-therapist", "stop-if-it-hurts"]
        form = await body_at(client, f"{PATH}/form")
        assert form["ui"]["fields"]["name"]["input_mode"] is None
