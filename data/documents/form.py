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


def find_form_texts(session: Session) -> ConsultationFormCreate:
    """The newest version of the form, with its texts. Raises `NotLoaded`."""
    form = session.exec(
        select(ConsultationForm).order_by(col(ConsultationForm.version).desc())
    ).first()
    if form is None:
        raise NotLoaded
    return form.texts


def find_form(
    session: Session, *, status: ClinicStatus, dialect: FormDialect = FormDialect.ENUM
) -> ConsultationFormPublic:
    """The form as it is served while the clinic has this status. Raises `NotLoaded`."""
    texts = find_form_texts(session)
    return ConsultationFormPublic(
        version=texts.version,
        accepting=status.accepting,
        reason=status.reason,
        schema=form_schema(texts, dialect=dialect),
        ui=FormUiPublic(
            order=list(texts.fields),
            fields={
                name: FieldUiPublic.model_validate(field) for name, field in texts.fields.items()
            },
        ),
        consents=[ConsentPublic.model_validate(consent) for consent in texts.consents],
        messages=texts.messages,
        safety_notice=texts.safety_notice,
        confirmation=texts.confirmation,
        clinic_state=status.state,
    )
