"""Versions of the form: which are accepted, and what is shown of old ones."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from data.database import writing
from data.documents import form
from data.documents.form import find_accepted_form, find_form_by_number, find_form_version
from data.documents.revisions import blank_revision, find_revision
from data.intake.sealed import request_location
from models.consultation_request import Consent, ConsultationRequest
from models.values import utc_now
from tests.support.apps import client_of, running, set_status
from tests.support.documents import document_of
from tests.support.forms import form_document, let_forms_age, publish_form, with_questions
from tests.support.intake import PATH, body_of, faults, opened, post
from tests.support.staff import STAFF, signed_in
from tests.support.statements import statements

OUTDATED = ("#/form_version", "form_version.outdated")
INBOX = f"{STAFF}/consultation-requests"


def other_topics(document: dict[str, Any]) -> dict[str, Any]:
    """The form with one topic only, and with other words for the consent."""
    [consent] = document["consents"]
    return {
        **document,
        "topics": [{"value": "back", "label": "A stiff back"}],
        "consents": [{**consent, "version": 2, "text": "The practice may call me."}],
    }


async def test_a_replaced_form_is_accepted_for_a_while(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A request is checked against the version it names, for 14 days after its replacement."""
    assert publish_form(engine, other_topics(form_document())) == 2
    old, new = {"topic": "other"}, {"topic": "back", "form_version": 2}
    for changes in (old, new):
        assert (await post(client, body_of(**changes))).status_code == 201
    assert faults(await post(client, body_of(topic="back"))) == [("#/topic", "topic.invalid")]
    crossed = await post(client, body_of(topic="other", form_version=2))
    assert faults(crossed) == [("#/topic", "topic.invalid")]
    with Session(engine) as session:
        texts = session.exec(select(Consent.version).order_by(col(Consent.id))).all()
    assert texts == [1, 2]

    let_forms_age(engine, timedelta(days=13, hours=23))
    assert (await post(client, body_of(**old))).status_code == 201
    let_forms_age(engine, timedelta(hours=2))
    assert faults(await post(client, body_of(**old))) == [("#/topic", "topic.invalid"), OUTDATED]
    assert (await post(client, body_of(**new))).status_code == 201


async def test_a_form_that_becomes_outdated_in_between(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is checked again when the request is stored."""
    publish_form(engine, other_topics(form_document()))
    # The service notices the change with this read.
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    assert (await post(client)).status_code == 201
    # Only time passes: the content version stays.
    monkeypatch.setattr(form, "utc_now", lambda: utc_now() + timedelta(days=15))
    answer = await post(client)
    assert faults(answer) == [OUTDATED]
    assert answer.json()["errors"][0]["detail"] == messages["form_version.outdated"]


async def test_the_grace_is_a_setting(folder: Path, open_clinic: None) -> None:
    """With CLINIC_FORM_GRACE_DAYS=0 only the current version is accepted."""
    async with running(folder, form_grace_days=0) as app, client_of(app) as client:
        publish_form(app.state.runtime.engine, other_topics(form_document()))
        assert OUTDATED in faults(await post(client))
        assert (await post(client, body_of(topic="back", form_version=2))).status_code == 201


@pytest.mark.database("sqlite")
async def test_a_422_executes_no_statement_once_the_forms_are_known(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """State and forms are read once; afterwards a 422 executes no statement, until a change."""
    publish_form(engine, with_questions(form_document()))
    # The service notices the change with this read.
    assert (await client.get("/v1/status")).status_code == 200
    wrong = [
        body_of(answers={"age": 1}),
        body_of(form_version=2, answers={"age": "x", "unknown": 1}, phone="555"),
        body_of(form_version=3, topic="unknown"),
        body_of(form_version=10**30),
        body_of(form_version="2"),
        b"[]",
    ]
    first = [faults(await post(client, body)) for body in wrong]
    assert first[0] == [("#/answers/age", "answers.unknown_field")]
    with statements(engine) as executed:
        assert [faults(await post(client, body)) for body in wrong] == first
    assert executed == []
    publish_form(engine, other_topics(form_document()))
    with statements(engine) as executed:
        assert OUTDATED not in faults(await post(client, wrong[2]))
    assert executed


async def test_many_unknown_versions(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None
) -> None:
    """Only a limited number of versions is remembered, and each unknown one is outdated."""
    for version in range(2, 130):
        assert faults(await post(client, body_of(form_version=version))) == [OUTDATED]
    assert len(app.state.runtime.open_intake.others) <= 100
    assert (await post(client)).status_code == 201


async def test_staff_sees_the_labels_that_the_person_saw(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """Inbox and CSV have the labels of the version that the person saw, however old it is."""
    version = publish_form(engine, with_questions(form_document()))
    answers = {"sport": "none", "pains": ["hip", "knee"], "smoker": "yes", "age": 34,
               "doctor": "=1+1"}  # fmt: skip
    sent = body_of(
        form_version=version, topic="ptsd", answers=answers, consents={"reminders": True},
        may_leave_voicemail=False, locale="en",
    )  # fmt: skip
    accepted = await post(client, sent)
    publish_form(engine, other_topics(form_document()))
    let_forms_age(engine, timedelta(days=400))
    staff = signed_in(engine)
    request = (await client.get(f"{INBOX}/{accepted.json()['id']}", headers=staff)).json()
    assert request["sent"]["answers"] == answers
    assert (request["sent"]["topic"], request["sent"]["locale"]) == ("ptsd", "en")
    shown = {one["name"]: (one["label"], one["value"]) for one in request["sent"]["shown"]}
    assert shown["topic"] == ("About", "An accident")
    assert shown["may_leave_voicemail"] == ("You may speak to my voicemail", "No")
    assert {name: text for name, text in shown.items() if name.startswith("answers.")} == {
        "answers.sport": ("Your sport", "No sport"),
        "answers.pains": ("Where it hurts", "Hip, Knee"),
        "answers.smoker": ("Do you smoke?", "Yes"),
        "answers.doctor": ("Your doctor", "=1+1"),
        "answers.history": ("What happened before", None),
        "answers.age": ("Your age", "34"),
        "answers.weight": ("Your weight", None),
        "answers.since": ("Since when", None),
    }
    assert [one["purpose"] for one in request["consents"]] == ["contact", "reminders"]
    export = await client.get(f"{INBOX}/export", headers=staff)
    [row] = csv.DictReader(io.StringIO(export.text, newline=""))
    assert row["answers"].splitlines() == [
        "Your sport: No sport", "Where it hurts: Hip, Knee", "Do you smoke?: Yes",
        "Your doctor: =1+1", "Your age: 34",
    ]  # fmt: skip
    assert (row["topic"], row["locale"]) == ("An accident", "en")
    assert "reminders, version 1: The practice may remind me" in row["consents"]


async def test_answers_in_the_csv_are_no_formula(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A label that begins with a formula's sign gets a quote in front."""
    document = with_questions(form_document())
    document["questions"][0]["label"] = "=HYPERLINK(1)"
    version = publish_form(engine, document)
    await post(client, body_of(form_version=version, answers={"sport": "none"}))
    export = await client.get(f"{INBOX}/export", headers=signed_in(engine))
    [row] = csv.DictReader(io.StringIO(export.text, newline=""))
    assert row["answers"] == "'=HYPERLINK(1): No sport"


async def test_requests_of_the_first_release(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A request that release 0.1.0 stored is shown with the labels of its form."""
    accepted = await post(client)
    keyring = app.state.runtime.keyring
    with writing(engine) as session:
        row = session.get_one(ConsultationRequest, accepted.json()["id"])
        sent = opened(app, accepted) or {}
        for name in ("answers", "consents", "locale"):
            del sent[name]
        row.sealed = keyring.seal(json.dumps(sent).encode(), location=request_location(row.id))
    staff = signed_in(engine)
    request = (await client.get(f"{INBOX}/{accepted.json()['id']}", headers=staff)).json()
    assert request["sent"]["answers"] == {}
    assert request["sent"]["locale"] is None
    assert request["sent"]["shown"][6]["value"] == "Another matter"
    assert (await client.get(f"{INBOX}/export", headers=staff)).status_code == 200


async def test_a_request_whose_form_is_gone(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """Without the version that the person saw, the names are the labels."""
    version = publish_form(engine, with_questions(form_document()))
    accepted = await post(client, body_of(form_version=version, answers={"age": 34}))
    with writing(engine) as session:
        document = document_of(session, "form")
        revision = find_revision(session, document=document, number=version)
        assert revision is not None
        blank_revision(session, revision=revision)
    staff = signed_in(engine)
    request = (await client.get(f"{INBOX}/{accepted.json()['id']}", headers=staff)).json()
    shown = [(one["name"], one["label"], one["value"]) for one in request["sent"]["shown"]]
    assert shown[0] == ("name", "name", "Ada")
    assert shown[-1] == ("answers.age", "age", "34")


async def test_reading_forms(engine: Engine) -> None:
    """The current version, an accepted one, and any version by its number are found."""
    publish_form(engine, other_topics(form_document()))
    day = timedelta(days=1)
    with Session(engine) as session:
        assert find_form_version(session).version == 2
        for version in (0, -1, 3, 2**31, 2**63, 10**30):
            assert find_form_by_number(session, version=version) is None
            assert find_accepted_form(session, version=version, grace=day) is None
        for version in (1, 2):
            found = find_form_by_number(session, version=version)
            assert found == find_accepted_form(session, version=version, grace=day)
        assert find_accepted_form(session, version=1, grace=timedelta(0)) is None


async def test_a_closed_clinic_reads_no_form(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """A closed clinic refuses a body with answers before it is parsed."""
    set_status(engine, state="permanently_closed")
    answer = await post(client, body_of(form_version=7, answers=7))
    assert answer.status_code == 410
