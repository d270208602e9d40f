"""The form as JSON Schema, in the dialects that form libraries need."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from models.consultation_form import FormConsent, FormContent
from models.form_fields import CONSENT_TO_CONTACT, SCHEMAS
from models.form_questions import NUMBER_PATTERN, Choice, Question, QuestionType, choices_of


class FormDialect(StrEnum):
    """How the form's `schema` describes a choice.

    No dialect works in every form library: JSONForms shows labels only for `const`, RJSF selects
    the first `const` by default, and json-editor has its own keywords.
    """

    ENUM = "enum"
    CONST = "const"
    JSON_EDITOR = "json-editor"


Schema = dict[str, Any]


def form_schema(form: FormContent, *, dialect: FormDialect = FormDialect.ENUM) -> Schema:
    """JSON Schema of a request. It preselects no choice and no consent.

    The questions are members of `answers`, the consents after the first one of `consents`.
    """
    properties = {
        name: {**_words(field.label, field.help), **_limits(SCHEMAS[name])}
        for name, field in form.fields.items()
    }
    for name, choices in form.choices():
        properties[name] |= _choice(choices, dialect=dialect)
    required = [name for name in form.fields if name in form.required_fields]
    if form.questions:
        needed = [question.name for question in form.questions if question.required]
        answers = {one.name: _question(one, dialect=dialect) for one in form.questions}
        properties["answers"] = {"title": "", **_object(answers, needed, dialect=dialect)}
        required += ["answers"] if needed else []
    properties[CONSENT_TO_CONTACT] = _consent(form.consents[0])
    required.append(CONSENT_TO_CONTACT)
    if form.further_consents:
        needed = [consent.field for consent in form.further_consents if consent.required]
        consents = {consent.field: _consent(consent) for consent in form.further_consents}
        properties["consents"] = {"title": "", **_object(consents, needed, dialect=dialect)}
        required += ["consents"] if needed else []
    schema = _object(properties, required, dialect=dialect)
    # json-editor sends every field, and an empty one as "". So an `if` that checks for a missing
    # field never applies.
    if dialect is FormDialect.JSON_EDITOR or not form.required_fields.isdisjoint(form.contacts):
        return schema
    return {**schema, "if": {"not": {"required": ["email"]}}, "then": {"required": ["phone"]}}


def _object(properties: Schema, required: Sequence[str], *, dialect: FormDialect) -> Schema:
    if dialect is FormDialect.JSON_EDITOR:
        _fit_json_editor(properties, required=required)
    return {"type": "object", "properties": properties, "required": list(required)}


def _fit_json_editor(properties: Schema, *, required: Sequence[str]) -> None:
    # json-editor sends every field, and an empty one as "". So `required` has no effect alone.
    for name, field in properties.items():
        if field["type"] == "boolean":
            field["format"] = "checkbox"
        elif name in required and field["type"] == "string":
            field["minLength"] = 1


def _words(label: str, help_: str | None) -> Schema:
    return {"title": label, **({"description": help_} if help_ else {})}


def _limits(schema: Schema) -> Schema:
    kept = ("type", "format", "minLength", "maxLength")
    return {key: schema[key] for key in kept if key in schema}


def _consent(consent: FormConsent) -> Schema:
    return {"type": "boolean", **_words(consent.text, consent.help)}


def _question(question: Question, *, dialect: FormDialect) -> Schema:
    words = _words(question.label, question.help)
    match question.type:
        case QuestionType.CHOICE | QuestionType.YES_NO:
            choices = _choice(choices_of(question), dialect=dialect)
            return {"type": "string", **words, **choices}
        case QuestionType.CHOICES:
            # Without `minItems`, for which ngx-formly adds an empty item. The service requires one.
            items = _items(choices_of(question), dialect=dialect)
            return {"type": "array", **words, "uniqueItems": True, "items": items}
        case QuestionType.NUMBER if dialect is FormDialect.JSON_EDITOR:
            return {"type": "string", **words, **_input_type("number"), "pattern": NUMBER_PATTERN}
        case QuestionType.NUMBER:
            type_ = "integer" if question.whole else "number"
            limits = {"minimum": question.lowest, "maximum": question.highest}
            return {"type": type_, **words, **limits}
        case QuestionType.DATE if dialect is FormDialect.JSON_EDITOR:
            return {"type": "string", **words, **_input_type("date")}
        case QuestionType.DATE:
            return {"type": "string", **words, "format": "date"}
    least = {"minLength": 1} if question.required else {}
    return {"type": "string", **words, **least, "maxLength": question.longest}


def _input_type(name: str) -> Schema:
    # json-editor answers a number that is not given with 0, and refuses an empty day.
    return {"options": {"inputAttributes": {"type": name}}}


def _choice(choices: Sequence[Choice], *, dialect: FormDialect) -> Schema:
    match dialect:
        case FormDialect.ENUM:
            # Without the option, json-editor selects the first choice by default.
            return {**_one_of(choices, dialect), "options": {"switcher": False}}
        case FormDialect.CONST:
            return _one_of(choices, dialect)
        case FormDialect.JSON_EDITOR:
            # json-editor selects the first value by default, so the first value is empty.
            return _titled(["", *(c.value for c in choices)], ["", *(c.label for c in choices)])


def _items(choices: Sequence[Choice], *, dialect: FormDialect) -> Schema:
    if dialect is FormDialect.JSON_EDITOR:
        titled = _titled([c.value for c in choices], [c.label for c in choices])
        return {"type": "string", **titled}
    return {"type": "string", **_one_of(choices, dialect)}


def _one_of(choices: Sequence[Choice], dialect: FormDialect) -> Schema:
    if dialect is FormDialect.CONST:
        return {"oneOf": [{"const": one.value, "title": one.label} for one in choices]}
    return {"oneOf": [{"enum": [one.value], "title": one.label} for one in choices]}


def _titled(values: list[str], titles: list[str]) -> Schema:
    return {"enum": values, "options": {"enum_titles": titles}}
