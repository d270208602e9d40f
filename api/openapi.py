"""The OpenAPI document: FastAPI's own, without what this service never answers."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.problems import ALL, MEDIA_TYPE, ProblemDocument, example_of

_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
_REFERENCES = "#/components/schemas/{model}"


class DocumentedAPI(FastAPI):
    """Errors are problem details, here and in the document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["summary"] = operation["description"].partition(".")[0]
                    _drop_fastapi_error(operation["responses"])
                    _restore_examples(operation["responses"])
                    for parameter in operation.get("parameters", []):
                        parameter["schema"] = _without_null(parameter["schema"])
            schemas = document["components"]["schemas"]
            for name in _FASTAPI_ERRORS:
                schemas.pop(name, None)
            schemas |= _problem_schemas()
            document["components"]["schemas"] = dict(sorted(schemas.items()))
        return super().openapi()


def _drop_fastapi_error(responses: dict[str, Any]) -> None:
    # FastAPI adds its own 422 to every route with parameters; here only bodies have one.
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


def _restore_examples(responses: dict[str, Any]) -> None:
    # FastAPI leaves every null out of the document, those of an example too.
    for response in responses.values():
        examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        examples |= {slug: example_of(ALL[slug]) for slug in examples}


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
