"""The sentence for each code of a 422, from a form's content and the service's own words."""

from models.consultation_form import FormContent
from models.form_checks import may_be_missing
from models.form_fields import FIELD_REASONS, OTHER_REASONS
from models.form_words import MESSAGES

_FALLBACK = "Please check this entry; it cannot be used as it is."


def served_messages(form: FormContent) -> dict[str, str]:
    """The sentences of a form, for exactly the codes that a 422 can contain."""
    codes = [
        f"{name}.{reason}"
        for name, field in form.fields.items()
        for reason in FIELD_REASONS[name]
        if reason != "required" or may_be_missing(name, field.required)
    ]
    messages = {code: _sentence(form, code) for code in codes}
    for question in form.questions:
        for reason in question.reasons:
            code = f"{question.name}.{reason}"
            messages[code] = _sentence(form, code, general=f"question.{reason}")
    for consent in form.further_consents:
        for reason in ("required", "wrong_type") if consent.required else ("wrong_type",):
            code = f"{consent.field}.{reason}"
            messages[code] = _sentence(form, code, general=f"consent.{reason}")
    others = (f"{name}.{reason}" for name, reasons in OTHER_REASONS.items() for reason in reasons)
    return messages | {code: _sentence(form, code) for code in others}


def _sentence(form: FormContent, code: str, *, general: str = "") -> str:
    for name in (code, general):
        if name in form.messages:
            return form.messages[name]
    return MESSAGES.get(code) or MESSAGES.get(general) or _FALLBACK
