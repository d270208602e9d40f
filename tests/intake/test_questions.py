"""The clinic's own questions and consents: what is accepted, what is stored, and every fault."""

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from sqlalchemy import Engine
from sqlmodel import Session, select

from models.consultation_request import Consent
from tests.support.databases import files_of
from tests.support.forms import (
    REMINDERS,
    SEVILLA,
    form_document,
    publish_form,
    with_questions,
)
from tests.support.intake import CONSENT, PATH, VALID, body_of, count, faults, opened, post

pytestmark = pytest.mark.database("sqlite")

ANSWERS: dict[str, Any] = {
    "sport": "running",
    "pains": ["hip", "knee"],
    "smoker": "no",
    "doctor": "Dr. Ñandú",
    "history": "One\n\ttwo \u202e 👩‍⚕️",
    "age": 34,
    "weight": 72.5,
    "since": "2026-02-28",
}


@pytest.fixture
def version(engine: Engine, open_clinic: None) -> int:
    """The version of a form with one question of each type and a further consent."""
    return publish_form(engine, with_questions(form_document()))


@pytest.fixture
def strict_version(engine: Engine, open_clinic: None) -> int:
    """The same with every question and consent required."""
    return publish_form(engine, with_questions(form_document(), required=True))


def sent(version: int, answers: object = None, consents: object = None, **more: object) -> bytes:
    return body_of(form_version=version, answers=answers, consents=consents, **more)


async def test_answers_and_consents_are_stored(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, version: int
) -> None:
    """Every type of answer is stored as sent; each given consent is stored with its text."""
    body = sent(version, ANSWERS, {"reminders": True}, locale="es-ES")
    answer = await post(client, body)
    assert answer.status_code == 201, answer.text
    stored = opened(app, answer) or {}
    assert stored["answers"] == ANSWERS
    assert (stored["consents"], stored["locale"]) == ({"reminders": True}, "es-ES")
    with Session(engine) as session:
        given = session.exec(select(Consent)).all()
    assert [(one.purpose, one.version, one.text) for one in given] == [
        ("contact", 1, CONSENT),
        ("reminders", 1, REMINDERS["text"]),
    ]


async def test_answers_are_sealed(client: httpx.AsyncClient, folder: Path, version: int) -> None:
    """No answer can be read in the database's files."""
    typed = {"doctor": "Dr. Marker-1", "history": "Marker-2", "sport": "running"}
    assert (await post(client, sent(version, typed))).status_code == 201
    stored = b"".join(files_of(folder).values())
    assert b"reminders" in stored
    assert not any(f"Marker-{number}".encode() in stored for number in (1, 2))


@pytest.mark.parametrize("consents", [None, {}, {"reminders": False}, {"reminders": None}])
async def test_a_consent_that_is_not_given_is_not_stored(
    client: httpx.AsyncClient, engine: Engine, version: int, consents: object
) -> None:
    """An optional consent that is absent, null or false is not stored as given."""
    assert (await post(client, sent(version, None, consents))).status_code == 201
    with Session(engine) as session:
        assert [one.purpose for one in session.exec(select(Consent))] == ["contact"]


@pytest.mark.parametrize("empty", [None, ""])
async def test_an_empty_answer_is_not_given(
    app: FastAPI, client: httpx.AsyncClient, version: int, empty: object
) -> None:
    """An answer that is null or empty is not stored, and neither is an empty list."""
    answers = {**dict.fromkeys(ANSWERS, empty), "pains": []}
    answer = await post(client, sent(version, answers, {"reminders": empty}))
    assert answer.status_code == 201, answer.text
    stored = opened(app, answer) or {}
    assert (stored["answers"], stored["consents"]) == ({}, {})


@pytest.mark.parametrize(
    ("typed", "number"), [(34.0, 34), ("34", 34), ("0", 0), ("-0", 0), ("120.0", 120)]
)
async def test_a_number_can_be_text(
    app: FastAPI, client: httpx.AsyncClient, version: int, typed: object, number: int
) -> None:
    """A number may be text, as the inputs of a web page give it; it is stored as a number."""
    stored = opened(app, await post(client, sent(version, {"age": typed}))) or {}
    assert stored["answers"] == {"age": number}
    assert type(stored["answers"]["age"]) is int


# Every code of a question and of a further consent, with values that cause it.
FAULTS: list[tuple[str, list[object]]] = [
    ("sport.wrong_type", [1, True, ["running"], {}]),
    ("sport.invalid", ["swimming", " ", "Running", "running\n"]),
    ("pains.wrong_type", ["knee", 1, {"knee": True}, [1], [["knee"]], [None]]),
    ("pains.invalid", [["back"], ["knee", "knee"], [""]]),
    ("smoker.wrong_type", [True, False, 1, ["yes"]]),
    ("smoker.invalid", ["Yes", "maybe"]),
    ("doctor.wrong_type", [1, ["x"]]),
    ("doctor.too_long", ["d" * 21]),
    ("doctor.invalid", ["a\nb", "a\0", "a\u202e"]),
    ("history.wrong_type", [1.5]),
    ("history.too_long", ["h" * 301]),
    ("history.invalid", ["\0"]),
    ("age.wrong_type", [True, 1.5, "1.5", "x", "1e2", " 1", "1\n", "٣", [1], "9" * 20]),
    ("age.too_small", [-1, "-1", -(10**400)]),
    ("age.too_large", [121, 10**400, "121"]),
    ("weight.wrong_type", ["72,5", "1.", "NaN", {}]),
    ("weight.too_small", [-1e300]),
    ("weight.too_large", [1e300]),
    ("since.wrong_type", [20260228, ["2026-02-28"]]),
    ("since.invalid", ["2026-02-30", "28.2.2026", "20260228", "2026-02-28T00:00:00Z",
                       "0000-01-01"]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value"), [(c, v) for c, values in FAULTS for v in values])
async def test_every_fault_of_an_answer(
    client: httpx.AsyncClient, engine: Engine, version: int, code: str, value: object
) -> None:
    """A fault has the pointer of the answer, its code and a message of the served form."""
    name = code.partition(".")[0]
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    answer = await post(client, sent(version, {**ANSWERS, name: value}))
    assert faults(answer) == [(f"#/answers/{name}", code)]
    assert answer.json()["errors"][0]["detail"] == messages[code]
    assert count(engine) == 0


async def test_the_messages_have_every_code(
    client: httpx.AsyncClient, strict_version: int, engine: Engine
) -> None:
    """The served messages have the codes of the questions and consents, and no others."""
    questions = {code for code, _ in FAULTS}
    required = {f"{name}.required" for name in (*ANSWERS, "reminders")}
    messages = (await client.get(f"{PATH}/form")).json()["messages"]
    publish_form(engine, form_document())
    without = (await client.get(f"{PATH}/form")).json()["messages"]
    assert messages.keys() - without.keys() == questions | required | {"reminders.wrong_type"}
    assert without.keys() <= messages.keys()


async def test_required_answers_and_consents(
    client: httpx.AsyncClient, strict_version: int
) -> None:
    """A missing answer or consent is reported at its own pointer, together with other faults."""
    expected = [
        *((f"#/answers/{name}", f"{name}.required") for name in ANSWERS),
        ("#/consents/reminders", "reminders.required"),
    ]
    emptied = {**dict.fromkeys(ANSWERS, ""), "pains": []}
    for answers in (..., None, {}, emptied):
        for consents in (..., None, {"reminders": False}, {"reminders": ""}):
            body = sent(strict_version, answers, consents)
            assert faults(await post(client, body)) == expected
    blank = await post(
        client, sent(strict_version, {**ANSWERS, "doctor": "  "}, {"reminders": True})
    )
    assert faults(blank) == [("#/answers/doctor", "doctor.required")]
    body = sent(strict_version, {**ANSWERS, "age": -1}, {"reminders": "x"}, name="", topic="x")
    assert faults(await post(client, body)) == [
        ("#/name", "name.required"),
        ("#/topic", "topic.invalid"),
        ("#/answers/age", "age.too_small"),
        ("#/consents/reminders", "reminders.wrong_type"),
    ]
    done = await post(client, sent(strict_version, ANSWERS, {"reminders": True}))
    assert done.status_code == 201


@pytest.mark.parametrize("group", ["answers", "consents"])
async def test_unknown_members(client: httpx.AsyncClient, version: int, group: str) -> None:
    """An unknown member is a fault, even an empty one; only a plain word is repeated."""
    members: dict[str, object] = {
        "unknown": "",
        "_" * 41: None,
        "José": 1,
        "constructor": {},
        "": 1,
        "a/b": [1],
    }
    answer = await post(client, body_of(form_version=version, **{group: members}))
    code = f"{group}.unknown_field"
    assert faults(answer) == [
        (f"#/{group}/unknown", code),
        (f"#/{group}", code),
        (f"#/{group}", code),
        (f"#/{group}/constructor", code),
        (f"#/{group}", code),
        (f"#/{group}", code),
    ]
    assert "José" not in answer.text
    many = {f"n{'_' * number}": 1 for number in range(30)}
    found = (await post(client, body_of(form_version=version, **{group: many}))).json()["errors"]
    assert len(found) == 21
    assert found[-1]["pointer"] == f"#/{group}"
    assert found[-1]["code"] == f"{group}.more_unknown_fields"
    assert "10" in found[-1]["detail"]


def generated(random_: random.Random) -> object:
    """A JSON value of any type."""
    texts = ["", " ", "yes", "knee", "\0", "\ud83d\ude00", "2026-01-01", "9" * 40, "-1", "x" * 400]
    flat: list[object] = [
        None, True, False, 0, -1, 10**18, -(10**300), 1.5, 1e308, 5e-324, random_.random(),
        random_.choice(texts), "".join(chr(random_.randrange(0x10FFFF)) for _ in range(3)),
    ]  # fmt: skip
    chosen = random_.randrange(20)
    if chosen == 0:
        return [random_.choice(flat) for _ in range(random_.randrange(4))]
    if chosen == 1:
        return {str(random_.choice(flat)): random_.choice(flat)}
    return random_.choice(flat)


async def test_generated_answers(client: httpx.AsyncClient, engine: Engine, version: int) -> None:
    """10,000 generated answers and consents never cause a 5xx, and never come back."""
    random_ = random.Random(1)
    accepted = 0
    for _ in range(10_000 // (len(ANSWERS) + 1) + 1):
        answers = {name: generated(random_) for name in ANSWERS}
        body = sent(version, answers, {"reminders": generated(random_)})
        answer = await post(client, body)
        # 400 for a lone surrogate.
        assert answer.status_code in (201, 400, 422), (answer.status_code, answers)
        if answer.status_code == 422:
            assert {fault["pointer"] for fault in answer.json()["errors"]} <= {
                *(f"#/answers/{name}" for name in ANSWERS), "#/consents/reminders",
            }  # fmt: skip
        accepted += answer.status_code == 201
    assert count(engine) == accepted


@pytest.mark.parametrize("query", ["", "?dialect=const", "?dialect=json-editor"])
async def test_the_schema_has_nested_objects(
    client: httpx.AsyncClient, strict_version: int, query: str
) -> None:
    """In each dialect answers and consents are objects with labels, plain types and no default."""
    schema = (await client.get(f"{PATH}/form{query}")).json()["schema"]
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for keyword in ("$schema", "anyOf", "$ref", "null", "default", "minItems"):
        assert f'"{keyword}"' not in text
    assert list(schema["properties"])[-3:] == ["answers", "consent_to_contact", "consents"]
    assert not {"form_version", "locale"} & set(schema["properties"])
    answers = schema["properties"]["answers"]
    assert list(answers["properties"]) == answers["required"] == list(ANSWERS)
    assert all(
        isinstance(one["type"], str) and one["title"] for one in answers["properties"].values()
    )
    consents = schema["properties"]["consents"]
    assert consents["properties"]["reminders"]["type"] == "boolean"
    assert consents["properties"]["reminders"]["title"] == REMINDERS["text"]
    assert {"answers", "consents"} <= set(schema["required"])


async def test_schema_and_service_agree_on_answers(
    client: httpx.AsyncClient, strict_version: int
) -> None:
    """What the schema accepts or refuses, the service does too."""
    schema = (await client.get(f"{PATH}/form")).json()["schema"]
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    filled = {name: value for name, value in VALID.items() if name != "form_version"}
    filled |= {"answers": ANSWERS, "consents": {"reminders": True}}
    changes: list[tuple[str, object]] = [("age", 120), ("doctor", "d" * 20), ("pains", ["hip"])]
    # The service reads a number as text; the schema keeps form libraries from sending it.
    changes += [
        (code.partition(".")[0], value)
        for code, values in FAULTS
        for value in values
        if value not in ("-1", "121", "\0", "a\nb", "a\0", "a\u202e")
    ]
    for name, value in changes:
        body = {**filled, "answers": {**ANSWERS, name: value}}
        answer = await post(client, json.dumps({**body, "form_version": strict_version}).encode())
        assert validator.is_valid(body) is (answer.status_code == 201), (name, value)


async def test_ui_has_questions_and_consents(client: httpx.AsyncClient, version: int) -> None:
    """`ui` has the fields, then the questions, then the consents, by their dotted names."""
    ui = (await client.get(f"{PATH}/form")).json()["ui"]
    names = [f"answers.{name}" for name in ANSWERS]
    assert ui["order"][-len(names) - 3 :] == [
        "message", *names, "consent_to_contact", "consents.reminders",
    ]  # fmt: skip
    assert list(ui["fields"]) == ui["order"]
    assert {name: ui["fields"][f"answers.{name}"]["widget"] for name in ANSWERS} == {
        "sport": "select", "pains": "checkboxes", "smoker": "radio", "doctor": "text",
        "history": "textarea", "age": "number", "weight": "number", "since": "date",
    }  # fmt: skip
    assert ui["fields"]["answers.age"]["input_mode"] == "numeric"


@pytest.fixture
def sevilla(engine: Engine, open_clinic: None) -> int:
    """The version of the form of a dental clinic in Sevilla."""
    return publish_form(engine, form_document(SEVILLA))


async def test_the_form_of_another_clinic(client: httpx.AsyncClient, sevilla: int) -> None:
    """A dental clinic in Sevilla asks with its own words, topics, questions and consents.

    The faults have the order of its form.
    """
    form = (await client.get(f"{PATH}/form")).json()
    topics = form["schema"]["properties"]["topic"]["oneOf"]
    assert [topic["title"] for topic in topics] == [
        "Revisión", "Caries", "Ortodoncia", "Urgencia", "Otro",
    ]  # fmt: skip
    asked = {
        "name": "Ana", "phone": "+34 954 12 34 56", "best_time": "morning", "topic": "caries",
        "answers": {"primera_visita": "yes"}, "consent_to_contact": True, "form_version": sevilla,
    }  # fmt: skip
    assert (await post(client, json.dumps(asked).encode())).status_code == 201
    wrong = {**asked, "topic": "depression", "best_time": "evening", "preferred_contact": "email",
             "answers": {"seguro": "otro"}, "consents": {"recordatorios": "sí"}}  # fmt: skip
    answer = await post(client, json.dumps(wrong).encode())
    assert [(f["pointer"], f["code"], f["detail"]) for f in answer.json()["errors"]] == [
        ("#/best_time", "best_time.invalid", "Elija una de las horas que se ofrecen."),
        ("#/topic", "topic.invalid", "Elija uno de los motivos que se ofrecen."),
        ("#/answers/primera_visita", "primera_visita.required", "Diga si es su primera visita."),
        ("#/answers/seguro", "seguro.invalid", "Elija una de las respuestas que se ofrecen."),
        ("#/consents/recordatorios", "recordatorios.wrong_type",
         "Marque la casilla para dar su permiso, o déjela vacía."),
        ("#/preferred_contact", "body.unknown_field", "Este campo no forma parte del formulario."),
    ]  # fmt: skip


async def test_fields_that_are_not_asked(client: httpx.AsyncClient, sevilla: int) -> None:
    """A field that the form does not ask for is unknown, unless it is empty."""
    asked = {
        "name": "Ana", "phone": "+34954123456", "topic": "otro", "consent_to_contact": True,
        "answers": {"primera_visita": "no"}, "form_version": sevilla,
    }  # fmt: skip
    required = await post(client, json.dumps(asked).encode())
    assert faults(required) == [("#/best_time", "best_time.required")]
    asked |= {"best_time": "afternoon", "preferred_contact": "", "may_leave_voicemail": None}
    assert (await post(client, json.dumps(asked).encode())).status_code == 201
    asked["may_leave_voicemail"] = False
    unknown = await post(client, json.dumps(asked).encode())
    assert faults(unknown) == [("#/may_leave_voicemail", "body.unknown_field")]


async def test_a_form_with_one_contact(
    client: httpx.AsyncClient, engine: Engine, open_clinic: None
) -> None:
    """If a form asks for one contact only, that one is required."""
    document = form_document()
    del document["fields"]["email"]
    document["fields"]["phone"]["required"] = True
    version = publish_form(engine, document)
    schema = (await client.get(f"{PATH}/form")).json()["schema"]
    assert "phone" in schema["required"]
    assert "if" not in schema
    answer = await post(client, body_of(email=..., form_version=version))
    assert faults(answer) == [("#/phone", "phone.required")]
    answer = await post(client, body_of(form_version=version, phone="2125550123"))
    assert faults(answer) == [("#/email", "body.unknown_field")]
    answer = await post(client, body_of(email="", form_version=version, phone="2125550123"))
    assert answer.status_code == 201
