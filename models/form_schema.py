"""The form as JSON Schema, in the dialects that form libraries need."""

from enum import StrEnum
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from models.consultation_form import ConsultationFormCreate
from models.consultation_request import ConsultationRequestCreate


class FormDialect(StrEnum):
    """How the form's `schema` writes a choice.

    No single way works in every form library: JSONForms shows labels for `const` only, RJSF fills
    in the first `const` by itself, and json-editor has keywords of its own.
    """

    ENUM = "enum"
    CONST = "const"
    JSON_EDITOR = "json-editor"


class _WithoutNull(GenerateJsonSchema):
    """Form libraries want plain types: a field that may be left out is not also `null`."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def form_schema(
    words: ConsultationFormCreate, *, dialect: FormDialect = FormDialect.ENUM
) -> dict[str, Any]:
    """JSON Schema of a request; no field of it is chosen or agreed to in advance."""
    request = ConsultationRequestCreate.model_json_schema(schema_generator=_WithoutNull)
    consents: dict[str, str] = {consent.field: consent.text for consent in words.consents}
    required = [name for name in request["required"] if name != "form_version"]
    fields = {
        name: {
            "type": request["properties"][name]["type"],
            "title": field.label or consents[name],
            **({"description": field.help} if field.help else {}),
            **_limits(request["properties"][name]),
        }
        for name, field in words.fields.items()
    }
    for name, labels in words.choices.items():
        fields[name] |= _choices(labels, dialect=dialect)
    schema = {"type": "object", "properties": fields, "required": required}
    if dialect is FormDialect.JSON_EDITOR:
        _fit_json_editor(fields, choices=set(words.choices), required=required)
        return schema
    return {**schema, "if": {"not": {"required": ["email"]}}, "then": {"required": ["phone"]}}


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: schema[key] for key in ("format", "minLength", "maxLength") if key in schema}


def _choices(labels: dict[str, str], *, dialect: FormDialect) -> dict[str, Any]:
    match dialect:
        case FormDialect.ENUM:
            return {
                "oneOf": [{"enum": [value], "title": label} for value, label in labels.items()],
                # Without it json-editor takes the first one by itself.
                "options": {"switcher": False},
            }
        case FormDialect.CONST:
            return {"oneOf": [{"const": value, "title": label} for value, label in labels.items()]}
        case FormDialect.JSON_EDITOR:
            # It takes the first value by itself, and that one says nothing.
            return {"enum": ["", *labels], "options": {"enum_titles": ["", *labels.values()]}}


def _fit_json_editor(
    fields: dict[str, dict[str, Any]], *, choices: set[str], required: list[str]
) -> None:
    # It sends every field, the empty ones as "": `required` alone asks for nothing, and an `if`
    # that looks for a missing field never holds.
    for name, field in fields.items():
        if field["type"] == "boolean":
            field["format"] = "checkbox"
        elif name in required and name in choices:
            field["minLength"] = 1
