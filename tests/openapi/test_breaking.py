"""The OpenAPI document does not break clients of the last release."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.openapi.breaking import RELEASED, breaks, without_words
from tests.support.document import DOCUMENT

NOW: dict[str, Any] = without_words(DOCUMENT)


def test_nothing_that_was_released_is_broken() -> None:
    """Compared with the last release no change breaks a client."""
    released = json.loads(RELEASED.read_text(encoding="utf-8"))
    assert breaks(released, NOW) == []


def schema(document: dict[str, Any], name: str) -> Any:
    return document["components"]["schemas"][name]


def operation(document: dict[str, Any], path: str, method: str = "get") -> Any:
    return document["paths"][path][method]


Change = Callable[[dict[str, Any]], object]
BREAKING: dict[str, Change] = {
    "GET /v1/clinic is gone": lambda d: d["paths"].pop("/v1/clinic"),
    "GET /v1/faqs has another operationId": lambda d: operation(d, "/v1/faqs").update(
        operationId="listQuestions"
    ),
    "GET /v1/faqs does not know topic any more": lambda d: operation(d, "/v1/faqs").update(
        parameters=[p for p in operation(d, "/v1/faqs")["parameters"] if p["name"] != "topic"]
    ),
    "GET /v1/faqs needs section now": lambda d: next(
        p for p in operation(d, "/v1/faqs")["parameters"] if p["name"] == "section"
    ).update(required=True),
    "GET /v1/status asks for other rights": lambda d: operation(d, "/v1/status").update(
        security=[{"staff": []}]
    ),
    "GET /v1/sections/{slug} does not answer 410 any more": lambda d: operation(
        d, "/v1/sections/{slug}"
    )["responses"].pop("410"),
    "SectionPublic.summary is gone": lambda d: schema(d, "SectionPublic")["properties"].pop(
        "summary"
    ),
    "SectionPublic.title may be absent": lambda d: schema(d, "SectionPublic")["required"].remove(
        "title"
    ),
    "SectionPublic.title: null may come": lambda d: schema(d, "SectionPublic")["properties"].update(
        title={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "RequestSummary.received_at: another format": lambda d: schema(d, "RequestSummary")[
        "properties"
    ]["received_at"].pop("format"),
    "ConsultationRequestCreate.phone is needed now": lambda d: schema(
        d, "ConsultationRequestCreate"
    )["required"].append("phone"),
    "ConsultationRequestCreate.name: a lower maxLength": lambda d: schema(
        d, "ConsultationRequestCreate"
    )["properties"]["name"].update(maxLength=10),
    "ConsultationRequestCreate.preferred_contact: phone is not taken": lambda d: schema(
        d, "ConsultationRequestCreate"
    )["properties"]["preferred_contact"]["anyOf"][0]["enum"].remove("phone"),
    "request.received is gone": lambda d: d["webhooks"].pop("request.received"),
    "RequestEventData.state is gone": lambda d: schema(d, "RequestEventData")["properties"].pop(
        "state"
    ),
    "ConsultationRequestCreate.message is gone": lambda d: schema(d, "ConsultationRequestCreate")[
        "properties"
    ].pop("message"),
}


@pytest.mark.parametrize("expected", BREAKING)
def test_a_break_is_found(expected: str) -> None:
    """Each breaking change is found and described."""
    changed = copy.deepcopy(NOW)
    BREAKING[expected](changed)
    assert expected in breaks(NOW, changed)


def test_additions_break_no_client() -> None:
    """New operations, fields, parameters and higher limits break no client."""
    changed = copy.deepcopy(NOW)
    changed["paths"]["/v1/new"] = changed["paths"]["/v1/clinic"]
    schema(changed, "SectionPublic")["properties"]["new"] = {"type": "string"}
    schema(changed, "SectionPublic")["required"].append("new")
    schema(changed, "ConsultationRequestCreate")["properties"]["new"] = {"type": "string"}
    operation(changed, "/v1/faqs")["parameters"].append(
        {"in": "query", "name": "new", "schema": {"type": "string"}, "required": False}
    )
    schema(changed, "ConsultationRequestCreate")["properties"]["name"]["maxLength"] = 500
    assert breaks(NOW, changed) == []
