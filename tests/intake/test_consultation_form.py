"""The consultation form: a JSON Schema for form libraries, with all its texts."""

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Engine

from tests.support.apps import set_status
from tests.support.intake import CONSENT, PATH, VALID, body_of, faults, post, problem

# The form does not depend on the kind of the database.
pytestmark = pytest.mark.database("sqlite")

SAFETY = "Do not use this form for an emergency. Call an ambulance instead."
FIELDS = [
    "name", "email", "phone", "preferred_contact", "may_leave_voicemail", "best_time", "topic",
    "message", "consent_to_contact",
]  # fmt: skip
FILLED: dict[str, Any] = {name: value for name, value in VALID.items() if name != "form_version"}
CHOICES = {
    "preferred_contact": ["email", "phone", "either"],
    "best_time": ["morning", "afternoon", "evening", "any"],
    "topic": [
        "depression", "ptsd", "chronic_pain", "other_mood_disorder", "other", "prefer_not_to_say",
    ],
}  # fmt: skip


async def read_form(client: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{PATH}/form{query}")
    assert answer.status_code == 200
    form: dict[str, Any] = answer.json()
    return form


async def test_the_form_is_complete(client: httpx.AsyncClient) -> None:
    """The form has every field of the contract, with the exact notice and consent."""
    form = await read_form(client)
    assert set(form) == {
        "version", "accepting", "reason", "schema", "ui", "consents", "messages", "safety_notice",
        "confirmation", "clinic_state", "intake_message", "privacy_policy_url", "locale",
    }  # fmt: skip
    assert form["safety_notice"] == SAFETY
    assert form["consents"] == [
        {
            "purpose": "contact",
            "field": "consent_to_contact",
            "version": 1,
            "text": CONSENT,
            "required": True,
        }
    ]
    assert form["confirmation"]


@pytest.mark.parametrize("query", ["", "?dialect=enum", "?dialect=const", "?dialect=json-editor"])
async def test_the_schema_suits_form_libraries(client: httpx.AsyncClient, query: str) -> None:
    """In each dialect every field has a plain type and a label, and no null or default."""
    schema = (await read_form(client, query))["schema"]
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for keyword in ("$schema", "anyOf", "$ref", "null", "default"):
        assert f'"{keyword}"' not in text
    fields = schema["properties"]
    assert list(fields) == FIELDS
    types = {name: field["type"] for name, field in fields.items()}
    booleans = {"may_leave_voicemail", "consent_to_contact"}
    assert types == {name: "boolean" if name in booleans else "string" for name in FIELDS}
    assert all(field["title"] and field["description"] for field in fields.values())
    assert "const" not in fields["consent_to_contact"]
    assert fields["message"]["maxLength"] == 2000
    assert fields["email"]["format"] == "email"
    assert set(schema["required"]) == {"name", "topic", "consent_to_contact"}
    # The client adds `form_version`.
    assert "additionalProperties" not in schema


async def test_a_dialect_writes_choices_in_its_own_way(client: httpx.AsyncClient) -> None:
    """The three dialects have the same values and labels; `enum` is the default."""
    schemas = {query: (await read_form(client, query))["schema"]
             for query in ("", "?dialect=const", "?dialect=json-editor")}  # fmt: skip
    for name, values in CHOICES.items():
        by_enum, by_const, by_title = (schemas[query]["properties"][name] for query in schemas)
        labels = [choice["title"] for choice in by_enum["oneOf"]]
        assert all(labels)
        assert [choice["enum"] for choice in by_enum["oneOf"]] == [[value] for value in values]
        assert by_const["oneOf"] == [
            {"const": value, "title": label} for value, label in zip(values, labels, strict=True)
        ]
        assert (by_title["enum"], by_title["options"]["enum_titles"]) == (
            ["", *values],
            ["", *labels],
        )
    for query in ("", "?dialect=const"):
        assert schemas[query]["if"] == {"not": {"required": ["email"]}}
        assert schemas[query]["then"] == {"required": ["phone"]}


async def test_an_unknown_dialect_is_refused(client: httpx.AsyncClient) -> None:
    """An unknown dialect is a 400 that names the parameter."""
    document = problem(await client.get(f"{PATH}/form?dialect=rjsf"), 400, "invalid-query")
    assert [fault["parameter"] for fault in document["errors"]] == ["dialect"]


async def test_each_dialect_is_cached(client: httpx.AsyncClient) -> None:
    """Each dialect is served from the response cache, with its own entity tag."""
    queries = ["", "?dialect=const", "?dialect=json-editor"]
    first = [await client.get(f"{PATH}/form{query}") for query in queries]
    again = [await client.get(f"{PATH}/form{query}") for query in queries]
    assert [answer.content for answer in again] == [answer.content for answer in first]
    assert len({answer.headers["ETag"] for answer in again}) == 3
    assert all("X-Request-ID" not in answer.headers for answer in again)


async def test_ui_describes_every_field(client: httpx.AsyncClient) -> None:
    """`ui` orders every field and gives its autofill token, input mode and widget."""
    ui = (await read_form(client))["ui"]
    assert ui["order"] == FIELDS
    assert list(ui["fields"]) == FIELDS
    assert ui["fields"]["email"] == {
        "autocomplete": "email",
        "input_mode": "email",
        "widget": "email",
    }
    assert ui["fields"]["phone"]["autocomplete"] == "tel"
    assert all(set(field) == {"autocomplete", "input_mode", "widget"}
               for field in ui["fields"].values())  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"email": ..., "phone": "(212) 555-0123"}, True),
        ({"phone": "2125550123", "preferred_contact": "either", "may_leave_voicemail": False,
          "best_time": "any", "message": "m" * 2000}, True),
        *(({"topic": topic}, True) for topic in (
            "depression", "ptsd", "chronic_pain", "other_mood_disorder", "other",
            "prefer_not_to_say")),
        ({"name": ...}, False),
        ({"name": ""}, False),
        ({"name": "n" * 201}, False),
        ({"name": 1}, False),
        ({"name": None}, False),
        ({"email": ...}, False),
        ({"email": "a" * 243 + "@example.com"}, False),
        ({"email": ["ada@example.com"]}, False),
        ({"phone": "1" * 41}, False),
        ({"topic": ...}, False),
        ({"topic": "unknown"}, False),
        ({"best_time": "night"}, False),
        ({"preferred_contact": "fax"}, False),
        ({"may_leave_voicemail": "yes"}, False),
        ({"message": "m" * 2001}, False),
        ({"consent_to_contact": ...}, False),
        ({"consent_to_contact": 1}, False),
    ],
)  # fmt: skip
async def test_schema_and_service_agree(
    client: httpx.AsyncClient, open_clinic: None, changes: dict[str, Any], valid: bool
) -> None:
    """The service accepts exactly what the schema accepts, once the form's version is added."""
    form = await read_form(client)
    filled = {name: value for name, value in {**FILLED, **changes}.items() if value is not ...}
    assert Draft202012Validator(form["schema"]).is_valid(filled) is valid
    sent = {**filled, "form_version": form["version"]}
    answer = await post(client, json.dumps(sent).encode())
    assert answer.status_code == (201 if valid else 422)


async def test_a_consent_that_is_not_given_is_refused(
    client: httpx.AsyncClient, open_clinic: None
) -> None:
    """The schema accepts `false`, so that no library sets `true`; the service refuses it."""
    schema = (await read_form(client))["schema"]
    assert Draft202012Validator(schema).is_valid({**FILLED, "consent_to_contact": False})
    answer = await post(client, body_of(consent_to_contact=False))
    assert faults(answer) == [("#/consent_to_contact", "consent_to_contact.required")]


@pytest.mark.parametrize(
    ("change", "accepting", "reason"),
    [
        ({"state": "open"}, True, None),
        ({"state": "open", "mode": "waitlist"}, True, "waitlist"),
        ({"state": "open", "mode": "paused"}, False, "intake_paused"),
        ({"state": "temporarily_closed"}, False, "temporarily_closed"),
        ({"state": "temporarily_closed", "mode": "waitlist"}, True, "waitlist"),
        ({"state": "temporarily_closed", "mode": "open"}, True, None),
        ({"state": "permanently_closed"}, False, "permanently_closed"),
    ],
)
async def test_the_form_in_each_mode(
    client: httpx.AsyncClient,
    engine: Engine,
    change: dict[str, str],
    accepting: bool,
    reason: str | None,
) -> None:
    """The form is served in every mode, with `accepting`, the reason and the clinic's state."""
    set_status(engine, **change)
    form = await read_form(client)
    assert (form["accepting"], form["reason"]) == (accepting, reason)
    assert form["clinic_state"] == change["state"]
