"""The current form in the database."""

from sqlmodel import Session, col, select

from data.documents.status import NotLoaded
from models.consultation_form import (
    ConsentPublic,
    ConsultationForm,
    ConsultationFormCreate,
    ConsultationFormPublic,
    FieldUiPublic,
    FormUiPublic,
)
from models.form_schema import FormDialect, form_schema
from models.status import ClinicStatus


def find_words(session: Session) -> ConsultationFormCreate:
    """The newest version of the form, with its texts. Raises `NotLoaded`."""
    form = session.exec(
        select(ConsultationForm).order_by(col(ConsultationForm.version).desc())
    ).first()
    if form is None:
        raise NotLoaded
    return form.words


def find_form(
    session: Session, *, status: ClinicStatus, dialect: FormDialect = FormDialect.ENUM
) -> ConsultationFormPublic:
    """The form as it is served while the clinic has this status. Raises `NotLoaded`."""
    words = find_words(session)
    return ConsultationFormPublic(
        version=words.version,
        accepting=status.accepting,
        reason=status.reason,
        schema=form_schema(words, dialect=dialect),
        ui=FormUiPublic(
            order=list(words.fields),
            fields={
                name: FieldUiPublic.model_validate(field) for name, field in words.fields.items()
            },
        ),
        consents=[ConsentPublic.model_validate(consent) for consent in words.consents],
        messages=words.messages,
        safety_notice=words.safety_notice,
        confirmation=words.confirmation,
        clinic_state=status.state,
    )
