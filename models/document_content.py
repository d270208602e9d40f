"""The content of each kind of document."""

from collections.abc import Mapping

from models.clinic import ClinicContent
from models.consultation_form import FormContent
from models.document import Kind
from models.faq import FAQContent
from models.notice import NoticesContent
from models.section import SectionContent
from models.status_content import StatusContent
from models.synonyms import SynonymsContent
from models.values import Input

CONTENTS: Mapping[Kind, type[Input]] = {
    Kind.CLINIC: ClinicContent,
    Kind.STATUS: StatusContent,
    Kind.FORM: FormContent,
    Kind.NOTICES: NoticesContent,
    Kind.SYNONYMS: SynonymsContent,
    Kind.SECTION: SectionContent,
    Kind.FAQ: FAQContent,
}


def read_stored(kind: Kind, document: Mapping[str, object]) -> Input:
    """The content of a stored revision, which another release may have saved."""
    if kind is Kind.FORM:
        return FormContent.of_stored(document)
    return CONTENTS[kind].model_validate(document)
