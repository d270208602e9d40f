"""The versions of the consultation form. A version is the number of a published revision."""

from datetime import timedelta

from sqlmodel import Session, col, select

from data.documents.effective import in_effect_at
from data.documents.published import Published, find_published
from models.consultation_form import (
    ConsentPublic,
    ConsultationFormPublic,
    FieldUiPublic,
    FormContent,
    FormUiPublic,
    FormVersion,
)
from models.document import Document, Kind, Revision
from models.form_schema import FormDialect, form_schema
from models.status import ClinicStatus
from models.values import utc_now


def find_form_version(session: Session) -> FormVersion:
    """The current version. Raises `NotLoaded`."""
    return _current(find_published(session))


def _current(published: Published) -> FormVersion:
    document = published.document(Kind.FORM)
    assert isinstance(document.content, FormContent)
    return FormVersion(document.number, document.content)


def find_accepted_form(session: Session, *, version: int, grace: timedelta) -> FormVersion | None:
    """The version, if it is the current one or was replaced within the `grace` period."""
    published = find_published(session)
    current = _current(published)
    if version == current.version:
        return current
    form = find_form_by_number(session, version=version)
    return form if form and version in _recent_versions(session, published, grace) else None


def find_form_by_number(session: Session, *, version: int) -> FormVersion | None:
    """A version, however old. `None` if there is none, or if it was blanked."""
    content = session.exec(
        select(Revision.content)
        .join(Document, col(Document.id) == Revision.document_id)
        .where(Document.kind == Kind.FORM, Revision.number == version)
    ).first()
    return FormVersion(version, FormContent.model_validate(content)) if content else None


def _recent_versions(session: Session, published: Published, grace: timedelta) -> set[int]:
    """The versions that were in effect at any time since the beginning of the grace period."""
    now = utc_now()
    since = now - grace
    ids = set()
    for key, history in published.histories():
        if key.kind is Kind.FORM:
            boundaries = (at for p in history for at in (p.from_at, p.until_at) if at)
            for at in (since, *(at for at in boundaries if since < at <= now)):
                found = in_effect_at(history, at)
                ids.add(found and found.revision_id)
    numbers = select(Revision.number).where(col(Revision.id).in_(ids - {None}))
    return set(session.exec(numbers).all())


def find_form(
    session: Session, *, status: ClinicStatus, dialect: FormDialect = FormDialect.ENUM
) -> ConsultationFormPublic:
    """The form as it is served while the clinic has this status. Raises `NotLoaded`."""
    published = find_published(session)
    current = _current(published)
    content = current.content
    return ConsultationFormPublic(
        version=current.version,
        accepting=status.accepting,
        reason=status.reason,
        intake_message=status.intake_message,
        schema=form_schema(content, dialect=dialect),
        ui=FormUiPublic(
            order=list(content.fields),
            fields={
                name: FieldUiPublic.model_validate(field) for name, field in content.fields.items()
            },
        ),
        consents=[ConsentPublic.model_validate(consent) for consent in content.consents],
        messages=content.messages,
        safety_notice=content.safety_notice,
        confirmation=content.confirmation,
        clinic_state=status.state,
        privacy_policy_url=published.clinic.privacy_policy_url,
        locale=published.default_locale,
    )
