"""Checks a consultation request against the form that the person saw."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic_core import PydanticCustomError

from models.consultation_form import FormContent
from models.form_fields import CONSENT_TO_CONTACT
from models.form_questions import Question, QuestionType, find_fault, is_given, read_number
from models.phone_number import normalized_phone_number
from models.sent_request import FORM_FIELDS, ConsultationRequestCreate
from models.values import MAX_UNKNOWN_FIELDS, PLAIN_WORD, BodyFaults


def check_request(sent: Mapping[str, object], *, form: FormContent, country: str) -> BodyFaults:
    """The faults of the fields of a request that its own model cannot know.

    `sent` can be invalid: a value of a wrong type is skipped, because the model reports it.
    `country` is the clinic's, for a phone number without `+`.
    """
    faults = BodyFaults()
    faults.found += _check_fields(sent, form)
    faults.found += _check_phone(sent, form, country)
    if (answers := _members(sent, "answers")) is not None:
        faults.found += _check_answers(answers, form)
        known = {question.name for question in form.questions}
        _add_unknown(faults, "answers", [name for name in answers if name not in known])
    if sent.get(CONSENT_TO_CONTACT) is False:
        faults.found.append((f"#/{CONSENT_TO_CONTACT}", f"{CONSENT_TO_CONTACT}.required"))
    if (consents := _members(sent, "consents")) is not None:
        faults.found += _check_consents(consents, form)
        known = {consent.field for consent in form.further_consents}
        _add_unknown(faults, "consents", [name for name in consents if name not in known])
    return faults


def complete_request(
    request: ConsultationRequestCreate, *, form: FormContent, country: str, locale: str
) -> ConsultationRequestCreate:
    """A request without faults as it is stored. `locale` is the clinic's default language."""
    answers = request.answers or {}
    phone = request.phone
    return request.model_copy(
        update={
            "phone": phone and normalized_phone_number(phone, country=country),
            "answers": {
                question.name: _stored(question, value)
                for question in form.questions
                if is_given(value := answers.get(question.name))
            },
            "consents": {
                name: value for name, value in (request.consents or {}).items() if is_given(value)
            },
            "locale": request.locale or locale,
        }
    )


def _stored(question: Question, value: object) -> object:
    return read_number(value) if question.type is QuestionType.NUMBER else value


def _check_fields(sent: Mapping[str, object], form: FormContent) -> Iterator[tuple[str, str]]:
    missing = {name for name in form.required_fields if not is_given(sent.get(name))}
    contacts = form.contacts
    if not any(is_given(sent.get(name)) for name in contacts) and not missing & set(contacts):
        missing |= set(contacts)
    for name in FORM_FIELDS:
        if name in missing:
            yield f"#/{name}", f"{name}.required"
        elif name not in form.fields and is_given(sent.get(name)):
            yield f"#/{name}", "body.unknown_field"
    for name, choices in form.choices():
        value = sent.get(name)
        if isinstance(value, str) and value and value not in {one.value for one in choices}:
            yield f"#/{name}", f"{name}.invalid"


def _check_phone(
    sent: Mapping[str, object], form: FormContent, country: str
) -> Iterator[tuple[str, str]]:
    phone = sent.get("phone")
    if "phone" in form.fields and isinstance(phone, str) and phone:
        try:
            normalized_phone_number(phone, country=country)
        except PydanticCustomError:
            yield "#/phone", "phone.invalid"


def _members(sent: Mapping[str, object], group: str) -> Mapping[str, object] | None:
    """The members of `answers` or `consents`; `None` if the value is not an object."""
    members = sent.get(group)
    if not is_given(members):
        return {}
    return members if isinstance(members, dict) else None


def _check_answers(answers: Mapping[str, object], form: FormContent) -> Iterator[tuple[str, str]]:
    for question in form.questions:
        value = answers.get(question.name)
        reason = "required" if question.required else None
        if is_given(value):
            reason = find_fault(question, value)
        if reason:
            yield f"#/answers/{question.name}", f"{question.name}.{reason}"


def _check_consents(consents: Mapping[str, object], form: FormContent) -> Iterator[tuple[str, str]]:
    for consent in form.further_consents:
        value = consents.get(consent.field)
        reason = "required" if consent.required and value is not True else None
        if is_given(value) and not isinstance(value, bool):
            reason = "wrong_type"
        if reason:
            yield f"#/consents/{consent.field}", f"{consent.field}.{reason}"


def _add_unknown(faults: BodyFaults, group: str, unknown: Sequence[str]) -> None:
    for name in unknown[:MAX_UNKNOWN_FIELDS]:
        pointer = f"#/{group}/{name}" if PLAIN_WORD.fullmatch(name) else f"#/{group}"
        faults.found.append((pointer, f"{group}.unknown_field"))
    if len(unknown) > MAX_UNKNOWN_FIELDS:
        faults.more_unknown[group] = len(unknown) - MAX_UNKNOWN_FIELDS
