"""The order of the form's fields, and how to show each."""

from models.consultation_form import FormContent
from models.form_fields import CONSENT_TO_CONTACT
from models.form_public import FieldUiPublic, FormUiPublic
from models.form_questions import InputMode, Question, QuestionType, Widget
from models.sent_request import ANSWERS

_WIDGETS: dict[QuestionType, Widget] = {
    QuestionType.CHOICE: "select",
    QuestionType.CHOICES: "checkboxes",
    QuestionType.YES_NO: "radio",
    QuestionType.SHORT_TEXT: "text",
    QuestionType.LONG_TEXT: "textarea",
    QuestionType.NUMBER: "number",
    QuestionType.DATE: "date",
}
_CHECKBOX = FieldUiPublic(autocomplete=None, input_mode=None, widget="checkbox")


def form_ui(form: FormContent) -> FormUiPublic:
    """First the fields, then the questions as `answers.NAME`, then the consents."""
    fields = {name: FieldUiPublic.model_validate(field) for name, field in form.fields.items()}
    fields |= {f"{ANSWERS}{question.name}": _question(question) for question in form.questions}
    fields[CONSENT_TO_CONTACT] = _CHECKBOX
    fields |= {f"consents.{consent.field}": _CHECKBOX for consent in form.further_consents}
    return FormUiPublic(order=list(fields), fields=fields)


def _question(question: Question) -> FieldUiPublic:
    return FieldUiPublic(
        autocomplete=question.autocomplete,
        input_mode=question.input_mode or _input_mode(question),
        widget=question.widget or _WIDGETS[question.type],
    )


def _input_mode(question: Question) -> InputMode | None:
    match question.type:
        case QuestionType.NUMBER:
            # The numeric keyboard of some phones has no minus sign.
            return "numeric" if question.whole and question.lowest >= 0 else None
        case QuestionType.SHORT_TEXT | QuestionType.LONG_TEXT:
            return "text"
    return None
