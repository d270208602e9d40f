"""Everything that is published, read in one transaction."""

from sqlmodel import Session

from data.documents.clinic import find_clinic
from data.documents.faqs import list_faqs
from data.documents.form import find_form
from data.documents.publications import find_content_version
from data.documents.sections import list_sections
from data.documents.status import find_status
from models.clinic import ClinicPublic
from models.publication import BundlePublic
from models.status import StatusPublic


def find_bundle(session: Session, *, form_path: str) -> BundlePublic:
    """All published documents; `form_path` is where the consultation form is served."""
    status = find_status(session)
    return BundlePublic(
        clinic=ClinicPublic.model_validate(find_clinic(session)),
        status=StatusPublic.of(status, form=form_path),
        sections=list(list_sections(session).items),
        faqs=list(list_faqs(session).items),
        form=find_form(session, status=status),
        content_version=find_content_version(session),
    )
