"""Turns the faults of a validation into a problem document."""

from collections.abc import Iterable, Mapping

from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails

from api.http import strict_json
from api.http.queries import PLAIN_WORD, invalid_query
from api.problems.catalogue import InvalidRequest, MalformedJSON, NotFound, Problem
from models.consultation_form import FormContent
from models.values import MoreUnknownFields

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


def problem_for(error: RequestValidationError, *, form: FormContent | None = None) -> Problem:
    """The problem for a failed validation.

    With the clinic's current `form`, its sentences replace those of the service, and a body with
    another `form_version` gets an error for that too.
    """
    faults = error.errors()
    parts = {fault["loc"][0] for fault in faults}
    if "path" in parts:
        return NotFound()
    if "query" in parts:
        wrong = (str(fault["loc"][1]) for fault in faults if fault["loc"][0] == "query")
        return invalid_query(*((parameter, "invalid") for parameter in wrong))
    if any(fault["type"] == "missing" and fault["loc"] == ("body",) for fault in faults):
        return MalformedJSON()
    found = [
        _pointer_and_code(fault)
        for fault in faults
        if not isinstance(fault["input"], MoreUnknownFields)
    ]
    if form is not None and _is_outdated(error.body, current=form.version):
        found.append(OUTDATED)
    more = sum(
        fault["input"].count for fault in faults if isinstance(fault["input"], MoreUnknownFields)
    )
    return invalid_request(found, messages=form.messages if form else {}, more_unknown_fields=more)


def _is_outdated(body: object, *, current: int) -> bool:
    # Reported together with the other faults, so that a person corrects everything at once.
    sent = strict_json.parse(body) if isinstance(body, bytes) else body
    version = sent.get("form_version") if isinstance(sent, dict) else None
    return type(version) is int and 0 < version != current


def invalid_request(
    faults: Iterable[tuple[str, str]],
    *,
    messages: Mapping[str, str],
    more_unknown_fields: int = 0,
) -> InvalidRequest:
    """The problem for faults of a body. Each fault is a JSON Pointer and a code.

    `messages` are the form's sentences by code. `more_unknown_fields` is the number of unknown
    fields that are not among the faults.
    """
    errors = [
        {"pointer": pointer, "code": code, "detail": _sentence(code, messages)}
        for pointer, code in faults
    ]
    if more_unknown_fields:
        detail = f"Unknown fields beyond those that are listed: {more_unknown_fields}."
        errors.append({"pointer": "#", "code": "body.more_unknown_fields", "detail": detail})
    return InvalidRequest(extension={"errors": errors})


def invalid(*faults: tuple[str, str]) -> InvalidRequest:
    """The same, without a form."""
    return invalid_request(faults, messages={})


def _sentence(code: str, messages: Mapping[str, str]) -> str:
    reason = code.rpartition(".")[2]
    return messages.get(code) or _SENTENCES.get(reason, _SENTENCES["invalid"])


def _pointer_and_code(fault: ErrorDetails) -> tuple[str, str]:
    if len(fault["loc"]) == 1:
        return "#", f"body.{'inconsistent' if fault['type'] == 'value_error' else 'wrong_type'}"
    field = str(fault["loc"][1])
    if fault["type"] == "extra_forbidden":
        return f"#/{field}" if PLAIN_WORD.fullmatch(field) else "#", "body.unknown_field"
    reason = _REASONS.get(fault["type"], "wrong_type")
    if (field, reason) == ("form_version", "too_small"):
        reason = "outdated"
    if fault["input"] is None:
        reason = "required"
    elif reason == "invalid" and not isinstance(fault["input"], str):
        reason = "wrong_type"
    return f"#/{field}", f"{field}.{reason}"
