"""The downgrade of 0009 with a form that the older version cannot ask in full."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from data import schema
from data.database import writing
from data.documents.publishing import append_publication
from data.documents.revisions import find_revision
from models.document import Kind, PublicationType
from models.values import utc_now
from tests.support.audit import open_with_audit
from tests.support.documents import EDITOR, content_of, document_of, publish
from tests.support.old_release import SCHEMA, downgraded


@pytest.fixture
def database(folder: Path) -> Iterator[Engine]:
    engine = open_with_audit(folder)
    yield engine
    engine.dispose()


def questions(engine: Engine) -> dict[str, Any]:
    """Changes of the form that the older version does not know."""
    form: Any = content_of(engine, "form")
    consent = {"purpose": "news", "field": "news", "version": 1, "text": "Yes.", "required": False}
    return {
        "topics": [*form["topics"], {"value": "sport", "label": "Sport"}],
        "questions": [{"name": "age", "type": "number", "label": "Age"}],
        "consents": [*form["consents"], consent],
        "messages": {**form["messages"], "age.too_small": "Too young."},
    }


def test_versions_of_the_form(database: Engine) -> None:
    """All published versions are kept, without what only the new form can ask."""
    first = content_of(database, "form")
    publish(database, "form", **questions(database))
    publish(database, "form", from_at=utc_now() + timedelta(days=9), confirmation="Planned.")
    one, two = downgraded(database)["consultation_form"]
    assert (one["version"], two["version"]) == (1, 2)
    assert one["published_at"] < two["published_at"]
    # It differs in its number only.
    assert two["document"] == {**one["document"], "version": 2}
    assert list(two["document"]["fields"]) == [*first["fields"], "consent_to_contact"]  # type: ignore[misc] # a mapping
    assert "age.too_small" not in two["document"]["messages"]


def test_an_earlier_form_in_effect(database: Engine) -> None:
    """An earlier version that is in effect again gets the highest number."""
    publish(database, "form", confirmation="Another confirmation.")
    publish_again(database, number=1)
    forms = downgraded(database)["consultation_form"]
    words = [(form["version"], form["document"]["confirmation"]) for form in forms]
    first = "We have your form. Keep the receipt to read or to withdraw it."
    assert words == [(1, first), (2, "Another confirmation."), (3, first)]


def publish_again(engine: Engine, *, number: int) -> None:
    with writing(engine) as session:
        document = document_of(session, Kind.FORM)
        revision = find_revision(session, document=document, number=number)
        append_publication(
            session,
            document=document,
            kind=PublicationType.PUBLISHED,
            revision=revision,
            editor=EDITOR,
        )


def test_a_form_that_the_older_version_cannot_use(database: Engine) -> None:
    """Without a field or a choice that the older version needs, nothing is changed."""
    form: Any = content_of(database, "form")
    fields = {name: field for name, field in form["fields"].items() if name != "best_time"}
    publish(database, "form", fields=fields, topics=form["topics"][1:])
    with pytest.raises(schema.MigrationRefused) as refused:
        schema.revert(database, to=SCHEMA)
    assert str(refused.value).startswith(
        "the older version cannot use the form, which lacks the field `best_time`, "
        "the topic `depression`. Nothing was changed: "
    )
    assert schema.is_current(database)
    # A replaced version is only a record.
    publish(database, "form", content=form)
    versions = [form["version"] for form in downgraded(database)["consultation_form"]]
    assert versions == [1, 2, 3]
