"""The OpenAPI document, read by tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from main import create_app
from tests.support.apps import settings_in

DOCUMENT = create_app(settings_in(Path("/nonexistent"))).openapi()

SCHEMAS = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The method, the path and the operation object of each operation."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def validate(value: object, schema: dict[str, Any]) -> None:
    # `jsonschema.validate` would also check all component schemas, which takes 0.1 s each time.
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
