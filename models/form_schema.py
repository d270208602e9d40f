"""The form as JSON Schema, in the dialects that form libraries need."""

from enum import StrEnum
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from models.consultation_form import FormContent
from models.consultation_request import ConsultationRequestCreate


class FormDialect(StrEnum):
    """How the form's `schema` describes a choice.

    No dialect works in every form library: JSONForms shows labels only for `const`, RJSF selects
    the first `const` by default, and json-editor has its own keywords.
    """

    ENUM = "enum"
    CONST = "const"
    JSON_EDITOR = "json-editor"


class _WithoutNull(GenerateJsonSchema):
    """Form libraries need plain types: an optional field is absent, and never `null`."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def form_schema(texts: FormContent, *, dialect: FormDialect = FormDialect.ENUM) -> dict[str, Any]:
    """JSON Schema of a request. It preselects no choice and no consent."""
    request = ConsultationRequestCreate.model_json_schema(schema_generator=_WithoutNull)
    consents: dict[str, str] = {consent.field: consent.text for consent in texts.consents}
    required = [name for name in request["required"] if name != "form_version"]
    fields = {
        name: {
            "type": request["properties"][name]["type"],
            "title": field.label or consents[name],
            **({"description": field.help} if field.help else {}),
            **_limits(request["properties"][name]),
        }
        for name, field in texts.fields.items()
    }
    for name, labels in texts.choices.items():
        fields[name] |= _choices(labels, dialect=dialect)
    schema = {"type": "object", "properties": fields, "required": required}
    if dialect is FormDialect.JSON_EDITOR:
        _fit_json_editor(fields, choices=set(texts.choices), required=required)
        return schema
    return {**schema, "if": {"not": {"required": ["email"]}}, "then": {"required": ["phone"]}}


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in ("format", "minLength", "maxLength") if key in schema}


def _choices(labels: dict[str, str], *, dialect: FormDialect) -> dict[str, Any]:
    match dialect:
        case FormDialect.ENUM:
            return {
                "oneOf": [{"enum": [value], "title": label} for value, label in labels.items()],
                # Without it, json-editor selects the first choice by default.
                "options": {"switcher": False},
            }
        case FormDialect.CONST:
            return {"oneOf": [{"const": value, "title": label} for value, label in labels.items()]}
        case FormDialect.JSON_EDITOR:
            # json-editor selects the first value by default, so the first value is empty.
            return {"enum": ["", *labels], "options": {"enum_titles": ["", *labels.values()]}}


def _fit_json_editor(
    fields: dict[str, dict[str, Any]], *, choices: set[str], required: list[str]
) -> None:
    # json-editor sends every field, and an empty one as "". So `required` has no effect alone, and
    # an `if` that checks for a missing field never applies.
    for name, field in fields.items():
        if field["type"] == "boolean":
            field["format"] = "checkbox"
        elif name in required and name in choices:
            field["minLength"] = 1
