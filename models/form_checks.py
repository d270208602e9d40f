"""The checks across the fields of a form's content.

They take the document before its validation, so that its other faults hide none of theirs. A value
of a wrong type is skipped here: the validation reports it.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from pydantic_core import InitErrorDetails, PydanticCustomError

from models.consultation_request import RequestState
from models.form_fields import (
    ALWAYS_REQUIRED,
    CONSENT_TO_CONTACT,
    CONTACTS,
    FIELD_REASONS,
    FIXED_VALUES,
    OTHER_REASONS,
    RESERVED_NAMES,
)
from models.form_questions import LIMITS, LONGEST_TEXTS, YES_NO_VALUES, QuestionType
from models.form_words import MESSAGES
from models.values import MAX_ITEMS

NEXT_STEP_CLOSURES = ("clinic_temporarily_closed", "clinic_permanently_closed")

Path = tuple[str | int, ...]
Document = Mapping[str, object]


def find_content_faults(document: Document) -> Iterator[InitErrorDetails]:
    """Every contradiction in a form, each with its path."""
    yield from _check_fields(document)
    for path, value in _repeated(document, "topics", "*", "value"):
        yield _fault(path, "repeated", "another topic has this value", value)
    yield from _check_questions(document)
    yield from _check_names(document)
    yield from _check_consents(document)
    yield from _check_messages(document)
    wanted = {*RequestState, *NEXT_STEP_CLOSURES}
    yield from _check_keys(document, "next_steps", wanted, wanted)


def _check_fields(document: Document) -> Iterator[InitErrorDetails]:
    fields = _child(document, "fields")
    yield from _check_keys(document, "fields", ALWAYS_REQUIRED, FIELD_REASONS)
    contacts = [name for name in CONTACTS if name in fields]
    if fields and not contacts:
        yield _fault(("fields",), "required", "asks for neither `email` nor `phone`", None)
    for name in (*ALWAYS_REQUIRED, *(contacts if len(contacts) == 1 else ())):
        if name in fields and _child(fields, name).get("required") is not True:
            yield _fault(
                ("fields", name, "required"), "invalid", f"every request needs `{name}`", None
            )
    for name in fields:
        path = ("fields", name, "choices")
        given = _child(fields, name).get("choices")
        if name not in FIXED_VALUES:
            if given is not None:
                yield _fault(path, "invalid", f"`{name}` has no choices here", None)
            continue
        if given is None:
            yield _fault(path, "required", "is missing", None)
        for at, value in _each(document, *path, "*", "value"):
            if value not in FIXED_VALUES[name]:
                values = ", ".join(FIXED_VALUES[name])
                yield _fault(at, "invalid", f"is not one of {values}", value)
        for at, value in _repeated(document, *path, "*", "value"):
            yield _fault(at, "repeated", "another choice has this value", value)


def _check_questions(document: Document) -> Iterator[InitErrorDetails]:
    for path, kind in _each(document, "questions", "*", "type"):
        at = path[:-1]
        question = next(_each(document, *at))[1]
        if kind not in tuple(QuestionType) or not isinstance(question, Mapping):
            continue
        type_ = QuestionType(str(kind))
        for limit in sorted(frozenset().union(*LIMITS.values()) - LIMITS[type_]):
            if question.get(limit) is not None:
                reason = f"a question of the type `{type_}` has no `{limit}`"
                yield _fault((*at, limit), "invalid", reason, None)
        yield from _check_limits(question, type_, at)
        for repeated, value in _repeated(document, *at, "choices", "*", "value"):
            yield _fault(repeated, "repeated", "another choice has this value", value)


def _check_limits(question: Document, type_: QuestionType, at: Path) -> Iterator[InitErrorDetails]:
    choices = question.get("choices")
    if type_ in (QuestionType.CHOICE, QuestionType.CHOICES) and choices is None:
        yield _fault((*at, "choices"), "required", "is missing", None)
    if type_ is QuestionType.YES_NO and choices is not None:
        values = [value for _, value in _each(question, "choices", "*", "value")]
        if values != YES_NO_VALUES:
            yield _fault((*at, "choices"), "invalid", 'must be "yes" and "no", in quotes', None)
    longest, limit = question.get("max_length"), LONGEST_TEXTS.get(type_)
    if isinstance(longest, int) and limit and longest > limit:
        yield _fault((*at, "max_length"), "too_large", f"must be at most {limit}", longest)
    lowest, highest = question.get("minimum"), question.get("maximum")
    if isinstance(lowest, int | float) and isinstance(highest, int | float) and lowest > highest:
        yield _fault((*at, "maximum"), "invalid", "must not be less than `minimum`", highest)


def _check_names(document: Document) -> Iterator[InitErrorDetails]:
    used: set[str] = set()
    for path, name in _names(document):
        if name in used:
            reason = "another question or consent has this name"
            yield _fault(path, "repeated", reason, name)
        elif name in RESERVED_NAMES and not (path[0] == "consents" and name == CONSENT_TO_CONTACT):
            yield _fault(path, "reserved", "this name is reserved", name)
        used.add(name)


def _names(document: Document) -> Iterator[tuple[Path, str]]:
    """The names of the consents and questions, with their paths."""
    for path in (("consents", "*", "field"), ("questions", "*", "name")):
        for at, name in _each(document, *path):
            if isinstance(name, str):
                yield at, name


def _check_consents(document: Document) -> Iterator[InitErrorDetails]:
    fields = [name for _, name in _each(document, "consents", "*", "field")]
    if fields[:1] != [CONSENT_TO_CONTACT]:
        reason = f"the first consent must be `{CONSENT_TO_CONTACT}`"
        yield _fault(("consents", 0, "field"), "invalid", reason, None)
    elif [is_required for _, is_required in _each(document, "consents", 0, "required")] != [True]:
        yield _fault(("consents", 0, "required"), "invalid", "must be true", None)


def _check_messages(document: Document) -> Iterator[InitErrorDetails]:
    fields = _child(document, "fields")
    wanted = {
        f"{name}.{reason}"
        for name in fields
        for reason in FIELD_REASONS.get(name, ())
        if reason != "required" or may_be_missing(name, _child(fields, name).get("required"))
    }
    others = {f"{name}.{reason}" for name, reasons in OTHER_REASONS.items() for reason in reasons}
    known = {f"{name}.{reason}" for name, reasons in FIELD_REASONS.items() for reason in reasons}
    for path, name in _names(document):
        group = "question" if path[0] == "questions" else "consent"
        known |= {
            f"{name}.{code.partition('.')[2]}" for code in MESSAGES if code.startswith(f"{group}.")
        }
    wanted |= others - MESSAGES.keys()
    yield from _check_keys(document, "messages", wanted, known | others | MESSAGES.keys())


def may_be_missing(name: str, is_required: object) -> bool:
    """Whether a 422 can report that this field of the form is missing."""
    return is_required is True or name in CONTACTS


def _check_keys(
    document: Document, name: str, wanted: Collection[str], known: Collection[str]
) -> Iterator[InitErrorDetails]:
    if not isinstance(document.get(name), Mapping):
        return
    given = _child(document, name)
    for key in sorted(set(wanted) - set(given)):
        yield _fault((name, key), "required", "is missing", None)
    for key in given:
        if key not in known:
            yield _fault((name, key), "unknown_field", "is not known", None)


def _child(document: Document, name: str) -> Document:
    value = document.get(name)
    if not isinstance(value, Mapping):
        return {}
    # In YAML a key can be of another type. The validation reports that, and too many keys.
    members = islice(value.items(), MAX_ITEMS)
    return {key: member for key, member in members if isinstance(key, str)}


def _each(document: object, *path: str | int) -> Iterator[tuple[Path, object]]:
    """The values at a path, in which `*` means each item of a list, with the path of each."""
    if not path:
        yield (), document
        return
    step, rest = path[0], path[1:]
    items: list[tuple[str | int, object]] = []
    if isinstance(document, list):
        # The validation reports a list that is longer.
        items = [(n, item) for n, item in enumerate(document[:MAX_ITEMS]) if step in ("*", n)]
    elif isinstance(document, Mapping) and step in document:
        items = [(step, document[step])]
    for key, value in items:
        yield from (((key, *at), found) for at, found in _each(value, *rest))


def _repeated(document: object, *path: str | int) -> Iterator[tuple[Path, object]]:
    """Those values at a path that occurred before."""
    used: list[object] = []
    for at, value in _each(document, *path):
        if value in used:
            yield at, value
        used.append(value)


def _fault(path: Path, reason: str, sentence: str, value: object) -> InitErrorDetails:
    # With the input `None`, an answer would report that the value is missing.
    given = "" if value is None and reason != "required" else value
    return InitErrorDetails(type=PydanticCustomError(reason, sentence), loc=path, input=given)
