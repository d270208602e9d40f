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
