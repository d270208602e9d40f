"""The versions of the clinic's form. A version is the number of a published revision."""

from datetime import timedelta

from sqlmodel import Session, col, select

from data.documents.effective import in_effect_at
from data.documents.published import Published, find_published
from models.consultation_form import FormContent, FormVersion
from models.document import Document, Kind, Revision
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
    return _current(find_published(session))


def _current(published: Published) -> FormVersion:
    document = published.document(Kind.FORM)
    assert isinstance(document.content, FormContent)
    return FormVersion(document.number, document.content)


def find_accepted_form(session: Session, *, version: int, grace: timedelta) -> FormVersion | None:
    """The version of this number, if it is current or was replaced less than `grace` ago."""
    published = find_published(session)
    current = _current(published)
    if version == current.version:
        return current
    if version not in _recent_versions(session, published, grace):
        return None
    return find_form_by_number(session, version=version)


def find_form_by_number(session: Session, *, version: int) -> FormVersion | None:
    """The version of this number, however old. `None` if there is none, or if it was blanked."""
    if not 0 < version <= _LARGEST_VERSION:
        return None
    content = session.exec(
        select(Revision.content)
        .join(Document, col(Document.id) == Revision.document_id)
        .where(Document.kind == Kind.FORM, Revision.number == version)
    ).first()
    return FormVersion(version, FormContent.of_stored(content)) if content else None


def _recent_versions(session: Session, published: Published, grace: timedelta) -> set[int]:
    """The versions that were in effect at any time since the beginning of the grace period."""
    now = utc_now()
    since = now - grace
    ids = set()
    for key, history in published.histories():
        if key.kind is Kind.FORM:
            boundaries = (at for past in history for at in (past.from_at, past.until_at) if at)
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
    form = _current(published)
    content = form.content
    return ConsultationFormPublic(
        version=form.version,
        accepting=status.accepting,
        reason=status.reason,
        intake_message=status.intake_message,
        schema=form_schema(content, dialect=dialect),
        ui=form_ui(content),
        consents=[ConsentPublic.model_validate(consent) for consent in content.consents],
        messages=served_messages(content),
        safety_notice=content.safety_notice,
        confirmation=content.confirmation,
        clinic_state=status.state,
        privacy_policy_url=published.clinic.privacy_policy_url,
        locale=published.default_locale,
    )
