"""The OpenAPI document: FastAPI's own, without what this service never answers."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.problems.catalogue import ALL
from api.problems.document import MEDIA_TYPE, ProblemDocument, example_of

_HERE = Path(__file__).parent
INTRODUCTION = (_HERE / "assets" / "introduction.md").read_text(encoding="utf-8")
# Recorded from the service itself: `make examples`.
EXAMPLES_FILE = _HERE / "examples.json"

# In the order in which a newcomer needs them.
TAGS = [
    {"name": "Clinic", "description": "What the clinic is, and whether it is open."},
    {"name": "Content", "description": "The texts, one by one or all in one document."},
    {
        "name": "Consultation requests",
        "description": "The form, a request, its receipt and its withdrawal. Requests are taken "
        "while `consultations.accepting` of `/v1/status` is true: a closed clinic answers 410, a "
        "paused one 409, and neither reads what was sent.",
    },
    {
        "name": "Staff",
        "description": "The inbox, the clinic's state, tokens and the audit. Every call needs a "
        "staff token with the scope that the operation names, and every change of something that "
        "exists needs its `ETag` as `If-Match`.",
    },
    {
        "name": "Webhooks",
        "description": "What the service sends to each address that staff has registered for the "
        "event (`POST /v1/staff/webhooks`). A message is signed as "
        "[Standard Webhooks](https://www.standardwebhooks.com/) says. It holds an id and a state, "
        "and nothing that a patient typed.",
    },
    {"name": "Health", "description": "For whoever watches over the service."},
    {"name": "Documentation", "description": "What the `type` of a problem leads to."},
]

_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
_REFERENCES = "#/components/schemas/{model}"


class DocumentedAPI(FastAPI):
    """Errors are problem details, here and in the document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            for name in _FASTAPI_ERRORS:
                schemas.pop(name, None)
            schemas |= _problem_schemas()
            document["components"]["schemas"] = dict(sorted(schemas.items()))
            # Reading needs nothing; what needs a token says so itself.
            document["security"] = []
            examples = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
            for operations in (*document["paths"].values(), *document["webhooks"].values()):
                for operation in operations.values():
                    _complete(operation, schemas, examples.get(operation["operationId"], {}))
        return super().openapi()


def _complete(operation: dict[str, Any], schemas: dict[str, Any], examples: dict[str, Any]) -> None:
    operation["summary"] = operation["description"].partition(".")[0]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    responses = operation["responses"]
    _drop_fastapi_error(responses)
    for status, response in responses.items():
        if response["description"] == "Successful Response":
            response["description"] = _description_of(response, schemas)
        _set_examples(response, examples.get(status, {}))
    if "request" in examples:
        _set_examples(operation["requestBody"], examples["request"])


def _drop_fastapi_error(responses: dict[str, Any]) -> None:
    # FastAPI adds its own 422 to every route with parameters; here only bodies have one.
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


def _description_of(response: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "content" not in response:
        return "Done; there is nothing to say."
    [content] = response["content"].values()
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    return str(schemas[name]["description"]) if name else "A page to read."


def _set_examples(body: dict[str, Any], examples: dict[str, Any]) -> None:
    # Set at the end, because FastAPI leaves every null out of the document.
    for media_type, content in body.get("content", {}).items():
        if media_type == MEDIA_TYPE:
            content["examples"] |= {slug: example_of(ALL[slug]) for slug in content["examples"]}
        elif media_type in examples:
            content["examples"] = examples[media_type]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A parameter that may be left out has no way of being null.
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else schema


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(ref_template=_REFERENCES)
    return {**schema.pop("$defs"), ProblemDocument.__name__: schema}


def operation_id(route: APIRoute) -> str:
    """The route's function name in camelCase."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)
