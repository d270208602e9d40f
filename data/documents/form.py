"""The versions of the clinic's form."""

from datetime import timedelta

from sqlmodel import Session, col, select

from data.documents.old_forms import in_new_shape, is_old_form
from data.documents.status import NotLoaded
from models.consultation_form import ConsultationForm, FormContent, FormVersion
from models.form_messages import served_messages
from models.form_public import ConsentPublic, ConsultationFormPublic
from models.form_schema import FormDialect, form_schema
from models.form_ui import form_ui
from models.status import ClinicStatus
from models.values import utc_now

# The largest number that both databases can compare with a version.
_LARGEST_VERSION = 2**31 - 1


def find_form_version(session: Session) -> FormVersion:
    """The current version of the form. Raises `NotLoaded`."""
    row = session.exec(
        select(ConsultationForm).order_by(col(ConsultationForm.version).desc()).limit(1)
    ).first()
    if row is None:
        raise NotLoaded
    return _version_of(row)


def find_accepted_form(session: Session, *, version: int, grace: timedelta) -> FormVersion | None:
    """The version of this number, if it is current or was replaced less than `grace` ago."""
    found = find_form_by_number(session, version=version)
    if found is None:
        return None
    replaced_at = session.exec(
        select(ConsultationForm.published_at)
        .where(col(ConsultationForm.version) > version)
        .order_by(col(ConsultationForm.version))
        .limit(1)
    ).first()
    return found if replaced_at is None or utc_now() - replaced_at < grace else None


def find_form_by_number(session: Session, *, version: int) -> FormVersion | None:
    """The version of this number, however old it is; `None` if there is none."""
    if not 0 < version <= _LARGEST_VERSION:
        return None
    row = session.get(ConsultationForm, version)
    return _version_of(row) if row else None


def _version_of(row: ConsultationForm) -> FormVersion:
    document = in_new_shape(row.document) if is_old_form(row.document) else row.document
    return FormVersion(row.version, FormContent.of_stored(document))


def find_form(
    session: Session, *, status: ClinicStatus, dialect: FormDialect = FormDialect.ENUM
) -> ConsultationFormPublic:
    """The form as it is served while the clinic has this status. Raises `NotLoaded`."""
    form = find_form_version(session)
    content = form.content
    return ConsultationFormPublic(
        version=form.version,
        accepting=status.accepting,
        reason=status.reason,
        schema=form_schema(content, dialect=dialect),
        ui=form_ui(content),
        consents=[ConsentPublic.model_validate(consent) for consent in content.consents],
        messages=served_messages(content),
        safety_notice=content.safety_notice,
        confirmation=content.confirmation,
        clinic_state=status.state,
    )
