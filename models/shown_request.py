"""The values of a request with the labels of the form that the person saw."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.consultation_form import FormContent
from models.form_questions import Choice, choices_of
from models.form_words import NO, YES
from models.sent_request import ANSWERS, FORM_FIELDS, SentPublic, ShownValuePublic


def sent_public(sent: Mapping[str, Any], *, form: FormContent | None) -> SentPublic:
    """The opened document of a request, for staff.

    `form` is the version that the person saw. Without it the labels are the names. A document of an
    earlier release lacks the fields that were added later.
    """
    complete = {**dict.fromkeys(SentPublic.model_fields), **sent}
    complete["answers"] = complete["answers"] or {}
    return SentPublic(**{**complete, "shown": list(_shown(complete, form))})


def _shown(sent: Mapping[str, Any], form: FormContent | None) -> Iterator[ShownValuePublic]:
    labels = {name: field.label for name, field in form.fields.items()} if form else {}
    choices = dict(form.choices()) if form else {}
    for name in labels or FORM_FIELDS:
        yield ShownValuePublic(
            name=name,
            label=labels.get(name, name),
            value=_text(sent.get(name), choices.get(name, ())),
        )
    questions = {question.name: question for question in form.questions} if form else {}
    for name in questions or sent["answers"]:
        question = questions.get(name)
        yield ShownValuePublic(
            name=f"{ANSWERS}{name}",
            label=question.label if question else name,
            value=_text(sent["answers"].get(name), choices_of(question) if question else ()),
        )


def _text(value: object, choices: Sequence[Choice]) -> str | None:
    labels = {choice.value: choice.label for choice in choices}
    match value:
        case None:
            return None
        case bool():
            return YES if value else NO
        case list():
            return ", ".join(labels.get(item, str(item)) for item in value)
        case str():
            return labels.get(value, value)
    return str(value)
