"""The fields that every form can ask for, with what follows from their declaration."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from models.sent_request import ADDED_BY_CLIENT, FORM_FIELDS, GROUPS, ConsultationRequestCreate

CONTACTS = ("email", "phone")
ALWAYS_REQUIRED = ("name", "topic")
CONSENT_TO_CONTACT = "consent_to_contact"


class _WithoutNull(GenerateJsonSchema):
    """Form libraries need plain types: an optional field is absent, and never `null`."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


# The JSON Schema of each field of a request, by its name.
SCHEMAS: dict[str, dict[str, Any]] = ConsultationRequestCreate.model_json_schema(
    schema_generator=_WithoutNull
)["properties"]
# The values of each field that has a fixed choice. A form has a label for each that it offers.
FIXED_VALUES: dict[str, list[str]] = {
    name: SCHEMAS[name]["enum"] for name in FORM_FIELDS if "enum" in SCHEMAS[name]
}


def _reasons(name: str) -> tuple[str, ...]:
    schema = SCHEMAS[name]
    too_long = ("too_long",) if "maxLength" in schema else ()
    invalid = ("invalid",) if schema["type"] == "string" else ()
    return ("required", "wrong_type", *too_long, *invalid)


# The reasons for which a 422 can refuse each field. Its code is `<field>.<reason>`.
FIELD_REASONS = {name: _reasons(name) for name in FORM_FIELDS}
# The same for what a form does not ask for.
_UNKNOWN = ("unknown_field", "more_unknown_fields")
OTHER_REASONS = {
    CONSENT_TO_CONTACT: ("required", "wrong_type"),
    "form_version": ("required", "wrong_type", "outdated"),
    "body": ("wrong_type", *_UNKNOWN),
    **dict.fromkeys(sorted(GROUPS), ("wrong_type", *_UNKNOWN)),
    "locale": ("wrong_type", "invalid"),
    "website": ("wrong_type", "too_long"),
    "seconds_to_complete": ("wrong_type", "too_small", "too_large"),
}

# Names that no question and no further consent can have. Code that handles objects of JavaScript
# treats the last three in special ways.
RESERVED_NAMES = frozenset(
    {*FORM_FIELDS, *ADDED_BY_CLIENT, *GROUPS, CONSENT_TO_CONTACT, "body", "question", "consent"}
    | {"constructor", "prototype", "__proto__"}
)
