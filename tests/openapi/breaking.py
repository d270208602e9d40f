"""Finds the changes between two OpenAPI documents that could break a client.

`python -m tests.openapi.breaking` records the current document as the released one.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RELEASED = Path(__file__).parent / "released.json"
_METHODS = ("get", "post", "put", "patch", "delete")
_WORDS = {"description", "summary", "example", "examples", "title", "tags"}
# Limits of what a client sends: a higher minimum or a lower maximum breaks it.
_LEAST, _MOST = {"minLength", "minItems", "minimum"}, {"maxLength", "maxItems", "maximum"}

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """One line for each change that could break a client of the old document."""
    return sorted(set(_document(old, new)))


def _document(old: Schema, new: Schema) -> Iterator[str]:
    both = _Both(old, new)
    for path, methods in old["paths"].items():
        for method in _METHODS:
            if method not in methods:
                continue
            name = f"{method.upper()} {path}"
            operation = new["paths"].get(path, {}).get(method)
            if operation is None:
                yield f"{name} is gone"
            else:
                yield from _operation(name, methods[method], operation, both)
    for event in old.get("webhooks", {}):
        if event not in new["webhooks"]:
            yield f"{event} is gone"
            continue
        before, after = (
            document[event]["post"]["requestBody"]["content"]["application/json"]["schema"]
            for document in (old["webhooks"], new["webhooks"])
        )
        yield from both.served(event, before, after)


def _operation(name: str, old: Schema, new: Schema, both: "_Both") -> Iterator[str]:
    if old["operationId"] != new["operationId"]:
        yield f"{name} has another operationId"
    if new.get("security", []) != old.get("security", []):
        yield f"{name} asks for other rights"
    yield from _parameters(name, old.get("parameters", []), new.get("parameters", []), both)
    if "requestBody" in new and "requestBody" not in old:
        yield f"{name} has a body now"
    for kind, content in old.get("requestBody", {}).get("content", {}).items():
        changed = new.get("requestBody", {}).get("content", {}).get(kind)
        if changed is None:
            yield f"{name} does not take {kind} any more"
        else:
            yield from both.sent(f"{name} body", content["schema"], changed["schema"])
    for status, response in old["responses"].items():
        if status not in new["responses"]:
            yield f"{name} does not answer {status} any more"
            continue
        for kind, content in response.get("content", {}).items():
            changed = new["responses"][status].get("content", {}).get(kind)
            where = f"{name} {status}"
            if changed is None:
                yield f"{where} is not {kind} any more"
            else:
                yield from both.served(where, content.get("schema", {}), changed.get("schema", {}))


def _parameters(name: str, old: list[Schema], new: list[Schema], both: "_Both") -> Iterator[str]:
    before = {(p["in"], p["name"]): p for p in old}
    after = {(p["in"], p["name"]): p for p in new}
    for key, parameter in before.items():
        if key not in after:
            yield f"{name} does not know {key[1]} any more"
        else:
            yield from both.sent(f"{name} {key[1]}", parameter["schema"], after[key]["schema"])
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{name} needs {key[1]} now"


class _Both:
    """Two documents, and the schemas that they refer to."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old, self.new = old["components"]["schemas"], new["components"]["schemas"]
        self._seen: set[tuple[str, str, str]] = set()

    def sent(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        """Compares what a client sends: each value that was allowed has to be allowed."""
        yield from self._compare(where, old, new, is_sent=True)

    def served(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        """Compares what a client reads: each promise has to be kept."""
        yield from self._compare(where, old, new, is_sent=False)

    def _compare(self, where: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[str]:
        references = (old.get("$ref", ""), new.get("$ref", ""), str(is_sent))
        if references[0]:
            if references in self._seen:
                return
            self._seen.add(references)
            where = references[0].rpartition("/")[2]
        old, new = _resolve(old, self.old), _resolve(new, self.new)
        kinds, more = _kinds(old), _kinds(new)
        lost = kinds - more if is_sent else more - kinds
        if lost:
            yield f"{where}: {', '.join(sorted(lost))} {'is not taken' if is_sent else 'may come'}"
        yield from _values(where, old, new, is_sent=is_sent)
        yield from self._fields(where, old, new, is_sent=is_sent)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self._compare(f"{where}[]", old[part], new[part], is_sent=is_sent)
        for before, after in zip(_variants(old), _variants(new), strict=False):
            yield from self._compare(where, before, after, is_sent=is_sent)

    def _fields(self, where: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[str]:
        fields, others = old.get("properties", {}), new.get("properties", {})
        for name, schema in fields.items():
            if name not in others:
                yield f"{where}.{name} is gone"
            else:
                yield from self._compare(f"{where}.{name}", schema, others[name], is_sent=is_sent)
        needed, need = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(need - needed if is_sent else needed - need):
            yield f"{where}.{name} {'is needed now' if is_sent else 'may be absent'}"


def _values(where: str, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[str]:
    if is_sent:
        for value in old.get("enum", []):
            if "enum" in new and value not in new["enum"]:
                yield f"{where}: {value} is not taken"
        if "enum" in new and "enum" not in old:
            yield f"{where}: only some values are taken"
        if new.get("pattern", old.get("pattern")) != old.get("pattern"):
            yield f"{where}: another pattern"
        for limit in _LEAST:
            if new.get(limit, float("-inf")) > old.get(limit, float("-inf")):
                yield f"{where}: a higher {limit}"
        for limit in _MOST:
            if new.get(limit, float("inf")) < old.get(limit, float("inf")):
                yield f"{where}: a lower {limit}"
    elif "format" in old and new.get("format") != old["format"]:
        yield f"{where}: another format"


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def _variants(schema: Schema) -> list[Schema]:
    variants = schema.get("anyOf") or schema.get("oneOf") or []
    return [variant for variant in variants if variant.get("type") != "null"]


def _kinds(schema: Schema) -> set[str]:
    """The types that a value may have; a reference counts as one type, whatever its name is."""
    variants = schema.get("anyOf") or schema.get("oneOf") or []
    if variants:
        return {kind for variant in variants for kind in _kinds(variant)}
    if "$ref" in schema:
        return {"referred"}
    kind = schema.get("type", "any")
    return set(kind) if isinstance(kind, list) else {kind}


def without_words(document: Any) -> Any:
    """The parts of a document that code can depend on, without texts and examples."""
    if isinstance(document, list):
        return [without_words(item) for item in document]
    if not isinstance(document, dict):
        return document
    # A field can be named `title`: then the value is a schema, and not a text.
    return {
        name: without_words(value)
        for name, value in document.items()
        if name not in _WORDS or (isinstance(value, dict) and name not in ("example", "examples"))
    }


def main() -> None:
    from tests.support.document import DOCUMENT

    RELEASED.write_text(json.dumps(without_words(DOCUMENT), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{RELEASED} contains the released document.\n")


if __name__ == "__main__":
    main()
