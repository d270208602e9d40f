"""Everything that is published, read in one transaction."""

from sqlmodel import Session

from data.documents.clinic import publish_clinic
from data.documents.faqs import publish_faq
from data.documents.form import find_form
from data.documents.sections import publish_section
from data.documents.texts import find_context
from models.publication import BundlePublic
from models.status import StatusPublic


def find_bundle(session: Session, *, form_path: str) -> BundlePublic:
    """All published documents; `form_path` is where the consultation form is served."""
    context = find_context(session)
    return BundlePublic(
        clinic=publish_clinic(context),
        status=StatusPublic.of(context.status, form=form_path, locale=context.locale),
        sections=[publish_section(text, context) for text in context.sections],
        faqs=[publish_faq(text, context) for text in context.faqs],
        form=find_form(session, status=context.status),
        content_version=context.published.version,
    )
