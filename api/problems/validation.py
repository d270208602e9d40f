"""Turns the faults of a validation into a problem document."""

from collections.abc import Iterable, Mapping
from itertools import takewhile

from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails

from api.http.queries import invalid_query
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound, Problem
from data.documents.publication_checks import PublicationFault
from models.document import Kind
from models.values import PLAIN_WORD, BodyFaults, MoreUnknownFields

# An answer lists at most so many faults, and the number of the others.
MAX_FAULTS = 100
# Pydantic puts the kind of a tagged body before the path of each fault.
TAGS = frozenset(Kind)

# The reason in a code (`<field>.<reason>`), by pydantic's type of the fault.
_REASONS = {
    "missing": "required",
    "string_too_short": "required",
    "string_too_long": "too_long",
    "literal_error": "invalid",
    "too_short": "required",
    "too_long": "too_long",
    "enum": "invalid",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_large",
    "string_pattern_mismatch": "invalid",
    "required": "required",
    "invalid": "invalid",
    "repeated": "repeated",
    "reserved": "reserved",
    "unknown_field": "unknown_field",
}
# The fault of a tagged body whose tag is missing or unknown, by pydantic's type of the fault.
_TAG_FAULTS = {
    "union_tag_not_found": ("#/kind", "kind.required"),
    "union_tag_invalid": ("#/kind", "kind.invalid"),
}
# The sentence for each reason. The clinic's form has its own sentences for its codes.
_SENTENCES = {
    "required": "Please fill this in.",
    "too_long": "This is too long.",
    "wrong_type": "This has a value that cannot be used.",
    "invalid": "This has a value that cannot be used.",
    "too_small": "This number is too small.",
    "too_large": "This number is too large.",
    "repeated": "Another entry has this value already.",
    "reserved": "This name is reserved.",
    "not_allowed": "This does not go with the other entries.",
    "unknown_field": "This field is unknown.",
    "inconsistent": "Two of the entries contradict each other.",
    "unconfirmed": "Please confirm that the clinic closes permanently.",
    "passed": "This day is in the past.",
    "past": "This time is in the past. Leave it empty for now, or mark it as backdated.",
    "too_early": "The clinic would reopen before it closes.",
}
# The sentence for a code, where its field needs another one.
_SENTENCES_BY_CODE = {
    "scopes.not_allowed": "You can only grant scopes that you have yourself.",
    "expires_in_days.too_large": "This is longer than it may be.",
    "kind.mismatch": "The kind in the body differs from the kind in the address.",
    "from.passed": "This time is in the past. Leave it empty for now.",
    "until.too_early": "The publication would end before it begins.",
    "note.required": "Please say in a note why the text changes essentially.",
    "revision.unknown": "The document has no revision with this number.",
    "revision.blanked": "The content of this revision was removed.",
    "moved_to.same": "A text cannot move to itself.",
    "moved_to.not_live": "No text with this slug is public at that time.",
}
OUTDATED = ("#/form_version", "form_version.outdated")


def problem_for(error: RequestValidationError) -> Problem:
    """The problem for a failed validation."""
    faults = faults_of(error)
    return faults if isinstance(faults, Problem) else invalid_request(faults, messages={})


def faults_of(error: RequestValidationError) -> BodyFaults | Problem:
    """The faults of the body, or the problem if the request has no body or another fault."""
    faults = error.errors()
    parts = {fault["loc"][0] for fault in faults}
    if "path" in parts:
        return NotFound()
    if "query" in parts:
        wrong = (str(fault["loc"][1]) for fault in faults if fault["loc"][0] == "query")
        return invalid_query(*((parameter, "invalid") for parameter in wrong))
    if any(fault["type"] == "missing" and fault["loc"] == ("body",) for fault in faults):
        return MalformedJSON()
    found = BodyFaults()
    for fault in faults:
        if isinstance(fault["input"], MoreUnknownFields):
            found.more_unknown["body"] = found.more_unknown.get("body", 0) + fault["input"].count
        else:
            found.found.append(_pointer_and_code(fault))
    return found


def invalid_request(faults: BodyFaults, *, messages: Mapping[str, str]) -> InvalidRequest:
    """The problem for the faults of a body; `messages` are the form's sentences by code."""
    errors = [
        {"pointer": pointer, "code": code, "detail": _sentence(code, messages)}
        for pointer, code in faults.found[:MAX_FAULTS]
    ]
    errors += _more_faults(len(faults.found))
    for group, count in faults.more_unknown.items():
        pointer = "#" if group == "body" else f"#/{group}"
        detail = f"Unknown fields beyond those that are listed: {count}."
        errors.append(
            {"pointer": pointer, "code": f"{group}.more_unknown_fields", "detail": detail}
        )
    return InvalidRequest(extension={"errors": errors})


def invalid(*faults: tuple[str, str]) -> InvalidRequest:
    """The problem for faults of a body, each a JSON Pointer and a code."""
    return invalid_request(BodyFaults(list(faults)), messages={})


def refused(faults: Iterable[PublicationFault]) -> InvalidRequest:
    """The problem for the faults of a publication or a withdrawal."""
    errors = []
    for fault in faults:
        code = f"{fault.field}.{fault.reason}"
        detail = fault.detail or _sentence(code, {})
        errors.append({"pointer": f"#/{fault.field}", "code": code, "detail": detail})
    return InvalidRequest(extension={"errors": [*errors[:MAX_FAULTS], *_more_faults(len(errors))]})


def _more_faults(count: int) -> list[dict[str, str]]:
    """The last entry of a list that does not have all faults; empty for a complete list."""
    if count <= MAX_FAULTS:
        return []
    detail = f"Faults beyond those that are listed: {count - MAX_FAULTS}."
    return [{"pointer": "#", "code": "body.more_faults", "detail": detail}]


def _sentence(code: str, messages: Mapping[str, str]) -> str:
    reason = code.rpartition(".")[2]
    known = messages.get(code) or _SENTENCES_BY_CODE.get(code)
    return known or _SENTENCES.get(reason, _SENTENCES["invalid"])


def _pointer_and_code(fault: ErrorDetails) -> tuple[str, str]:
    """A pointer to the value, and `<last named field>.<reason>`."""
    steps = fault["loc"][1:]
    if len(steps) > 1 and steps[0] in TAGS:
        steps = steps[1:]
    if not steps:
        is_across = fault["type"] == "value_error"
        reason = "inconsistent" if is_across else "wrong_type"
        return _TAG_FAULTS.get(fault["type"], ("#", f"body.{reason}"))
    reason = _reason_of(fault)
    if "[key]" in steps:
        # The key of an object is not one of the allowed ones.
        reason = "unknown_field"
    shown = _nameable(steps)
    if shown == list(steps[:-1]) and fault["type"] == "required" and fault["input"] is None:
        # The service itself names a missing member, which can be two words with a dot.
        shown.append(steps[-1])
    pointer = "/".join(["#", *map(str, shown)])
    if reason == "unknown_field":
        return pointer, "body.unknown_field"
    name = next((str(step) for step in reversed(shown) if _is_word(step)), "body")
    return pointer, f"{name}.{reason}"


def _reason_of(fault: ErrorDetails) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        return "unknown_field"
    if kind == "value_error":
        return "inconsistent" if isinstance(value, dict) else "invalid"
    reason = _REASONS.get(kind, "wrong_type")
    if (fault["loc"][1], reason) == ("form_version", "too_small"):
        return "outdated"
    if value is None and reason != "unknown_field":
        return "required"
    if reason == "invalid" and not isinstance(value, str):
        return "wrong_type"
    return reason


def _nameable(steps: Iterable[int | str]) -> list[int | str]:
    """The steps of a path up to the first name that is not a plain word: it can be typed text."""
    return list(takewhile(lambda step: isinstance(step, int) or _is_word(step), steps))


def _is_word(step: int | str) -> bool:
    return isinstance(step, str) and PLAIN_WORD.fullmatch(step) is not None
