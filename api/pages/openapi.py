"""The OpenAPI document: FastAPI's document with problem details and recorded examples."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.problems.catalogue import ALL
from api.problems.document import MEDIA_TYPE, ProblemDocument, example_of

_HERE = Path(__file__).parent
INTRODUCTION = (_HERE / "assets" / "introduction.md").read_text(encoding="utf-8")
# `make examples` records it from a running service.
EXAMPLES_FILE = _HERE / "examples.json"

# In the order of the page: first what a new developer needs.
TAGS = [
    {"name": "Clinic", "description": "The clinic, and whether it is open."},
    {"name": "Content", "description": "The texts, each alone or all in one answer."},
    {
        "name": "Consultation requests",
        "description": "The form, a request, its receipt and its withdrawal. The clinic accepts "
        "requests while `consultations.accepting` of `/v1/status` is true. Otherwise the answer is "
        "410 if the clinic is closed permanently, and 409 if it accepts no requests for now; the "
        "body is not parsed.",
    },
    {
        "name": "Staff",
        "description": "The inbox, the clinic's texts and state, tokens, webhooks and the audit. "
        "Every call needs a staff token with the scope of the operation. Every change of a request "
        "or of a document needs its `ETag` as `If-Match`.",
    },
    {
        "name": "Webhooks",
        "description": "The messages that the service sends to the URLs that staff has registered "
        "for an event (`POST /v1/staff/webhooks`). They are signed according to "
        "[Standard Webhooks](https://www.standardwebhooks.com/). They contain an id and a state, "
        "and nothing that a patient typed.",
    },
    {"name": "Health", "description": "Health checks for monitoring."},
    {"name": "Documentation", "description": "Explains the `type` of each problem."},
]

_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
_REFERENCES = "#/components/schemas/{model}"


class DocumentedAPI(FastAPI):
    """Completes FastAPI's document: its errors are problem details, as in the answers."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = self.openapi_schema = _with_plain_names(super().openapi())
            schemas = document["components"]["schemas"]
            for name in _FASTAPI_ERRORS:
                schemas.pop(name, None)
            schemas |= _problem_schemas()
            document["components"]["schemas"] = dict(sorted(schemas.items()))
            # By default an operation needs no token; the others declare their own `security`.
            document["security"] = []
            examples = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
            for operations in (*document["paths"].values(), *document["webhooks"].values()):
                for operation in operations.values():
                    _complete(operation, schemas, examples.get(operation["operationId"], {}))
        return super().openapi()


def _with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """The document without names such as `Image-Input` and `Image-Output`.

    FastAPI makes them where what is sent may lack a key that an answer always has. Several
    generators take the title of a schema as its name, and would find the same name twice.
    """
    text = json.dumps(document)
    renamed = {
        name: name.removesuffix("-Output").replace("-", "")
        for name in document["components"]["schemas"]
        if name.endswith(("-Input", "-Output"))
    }
    for name, plain in renamed.items():
        text = text.replace(
            f'"{_REFERENCES.format(model=name)}"', f'"{_REFERENCES.format(model=plain)}"'
        )
    document = json.loads(text)
    schemas = document["components"]["schemas"]
    for name, plain in renamed.items():
        schemas[plain] = {**schemas.pop(name), "title": plain}
    return document


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
    # FastAPI adds its 422 to every route with parameters. This service answers wrong parameters
    # with 400 or 404.
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


def _description_of(response: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "content" not in response:
        return "Done. The answer has no body."
    [content] = response["content"].values()
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    return str(schemas[name]["description"]) if name else "An HTML page."


def _set_examples(body: dict[str, Any], examples: dict[str, Any]) -> None:
    # Added after FastAPI has built the document, because FastAPI removes every `null` from it.
    for media_type, content in body.get("content", {}).items():
        if media_type == MEDIA_TYPE:
            content["examples"] |= {slug: example_of(ALL[slug]) for slug in content["examples"]}
        elif media_type in examples:
            content["examples"] = examples[media_type]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A query parameter can be absent, but it cannot be `null`.
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
