"""Turns the faults of a validation into a problem document."""

from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails

from api.http.queries import invalid_query
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound, Problem
from models.values import PLAIN_WORD, BodyFaults, MoreUnknownFields

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
    "required": "required",
    "invalid": "invalid",
}
# The sentence for each reason. The clinic's form has its own sentences for its codes.
_SENTENCES = {
    "required": "Please fill this in.",
    "too_long": "This is too long.",
    "wrong_type": "This has a value that cannot be used.",
    "invalid": "This has a value that cannot be used.",
    "not_allowed": "You can only grant scopes that you have yourself.",
    "unknown_field": "This field is unknown.",
    "inconsistent": "Two of the entries contradict each other.",
    "unconfirmed": "Please confirm that the clinic closes permanently.",
    "passed": "This day is in the past.",
    "past": "This time is in the past. Leave it empty for now, or mark it as backdated.",
    "too_early": "The clinic would reopen before it closes.",
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
        for pointer, code in faults.found
    ]
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


def _sentence(code: str, messages: Mapping[str, str]) -> str:
    reason = code.rpartition(".")[2]
    return messages.get(code) or _SENTENCES.get(reason, _SENTENCES["invalid"])


def _pointer_and_code(fault: ErrorDetails) -> tuple[str, str]:
    if len(fault["loc"]) == 1:
        return "#", f"body.{'inconsistent' if fault['type'] == 'value_error' else 'wrong_type'}"
    name = str(fault["loc"][1])
    if fault["type"] == "extra_forbidden":
        return f"#/{name}" if PLAIN_WORD.fullmatch(name) else "#", "body.unknown_field"
    reason = _REASONS.get(fault["type"], "wrong_type")
    if (name, reason) == ("form_version", "too_small"):
        reason = "outdated"
    if fault["input"] is None:
        reason = "required"
    elif reason == "invalid" and not isinstance(fault["input"], str):
        reason = "wrong_type"
    return f"#/{name}", f"{name}.{reason}"
