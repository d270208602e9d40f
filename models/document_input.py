"""Inputs of staff: to save, publish and withdraw documents."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field as Described
from pydantic import RootModel, StrictInt

from models.clinic import ClinicContent
from models.consultation_form import FormContent
from models.document import ChangeSize, PublicationType
from models.faq import FAQContent
from models.notice import NoticesContent
from models.section import SectionContent
from models.status_content import StatusContent
from models.synonyms import SynonymsContent
from models.values import Input, Instant, Locale, Paragraphs, Slug

K = TypeVar("K", bound=str)
C = TypeVar("C", bound=Input)
# The largest value of an integer column on PostgreSQL.
LARGEST_NUMBER = 2**31 - 1


class _DocumentInput(Input, Generic[K, C]):
    kind: K = Described(description="Kind of the document, the same as in the path.")
    content: C = Described(description="The whole content. It replaces the content before.")
    note: Paragraphs | None = Described(
        default=None, description="Why the content was changed. Only staff reads it."
    )


class _DocumentCreate(Input, Generic[K, C]):
    kind: K = Described(description="Kind of the document.")
    slug: Slug = Described(
        description="Identifier for use in URLs. It does not change. A kind of which there is one "
        "document has its own name as the slug."
    )
    locale: Locale = Described(description="One of the clinic's languages, a BCP 47 tag.")
    content: C = Described(description="The content.")
    note: Paragraphs | None = Described(
        default=None, description="A remark about this revision. Only staff reads it."
    )


class ClinicDocumentInput(_DocumentInput[Literal["clinic"], ClinicContent]):
    """Another revision of the clinic's facts."""


class StatusDocumentInput(_DocumentInput[Literal["status"], StatusContent]):
    """Another revision of the words for the clinic's states."""


class FormDocumentInput(_DocumentInput[Literal["form"], FormContent]):
    """Another revision of the form."""


class NoticesDocumentInput(_DocumentInput[Literal["notices"], NoticesContent]):
    """Another revision of the notices."""


class SynonymsDocumentInput(_DocumentInput[Literal["synonyms"], SynonymsContent]):
    """Another revision of the search's synonyms."""


class SectionDocumentInput(_DocumentInput[Literal["section"], SectionContent]):
    """Another revision of a section."""


class FAQDocumentInput(_DocumentInput[Literal["faq"], FAQContent]):
    """Another revision of an FAQ."""


class ClinicDocumentCreate(_DocumentCreate[Literal["clinic"], ClinicContent]):
    """The clinic's facts in a further language."""


class StatusDocumentCreate(_DocumentCreate[Literal["status"], StatusContent]):
    """The words for the clinic's states in a further language."""


class FormDocumentCreate(_DocumentCreate[Literal["form"], FormContent]):
    """The form in a further language."""


class NoticesDocumentCreate(_DocumentCreate[Literal["notices"], NoticesContent]):
    """The notices in a further language."""


class SynonymsDocumentCreate(_DocumentCreate[Literal["synonyms"], SynonymsContent]):
    """The search's synonyms."""


class SectionDocumentCreate(_DocumentCreate[Literal["section"], SectionContent]):
    """A new section."""


class FAQDocumentCreate(_DocumentCreate[Literal["faq"], FAQContent]):
    """A new FAQ."""


class DocumentInput(
    RootModel[
        Annotated[
            ClinicDocumentInput
            | StatusDocumentInput
            | FormDocumentInput
            | NoticesDocumentInput
            | SynonymsDocumentInput
            | SectionDocumentInput
            | FAQDocumentInput,
            Described(discriminator="kind"),
        ]
    ]
):
    """Another revision of a document. `kind` says which schema the content has."""


class DocumentCreate(
    RootModel[
        Annotated[
            ClinicDocumentCreate
            | StatusDocumentCreate
            | FormDocumentCreate
            | NoticesDocumentCreate
            | SynonymsDocumentCreate
            | SectionDocumentCreate
            | FAQDocumentCreate,
            Described(discriminator="kind"),
        ]
    ]
):
    """A new document. `kind` says which schema the content has."""


class PublicationCreate(Input):
    """Makes one revision public."""

    revision: StrictInt = Described(
        ge=1,
        le=LARGEST_NUMBER,
        description="Number of the revision. An older one restores that content.",
    )
    from_at: Instant | None = Described(
        default=None, alias="from", description="From when on, with an offset; by default now."
    )
    until_at: Instant | None = Described(
        default=None,
        alias="until",
        description="Until when, with an offset; by default without an end. Afterwards the "
        "publication before it is in effect again. If there is none, the text is withdrawn.",
    )
    change: ChangeSize = Described(
        description="`major`: readers should know that the text changed; it moves the public "
        "`updated_at`. `minor`: for example a correction of spelling."
    )
    note: Paragraphs | None = Described(
        default=None, description="Why. Required for a major change. Only staff reads it."
    )


class WithdrawalCreate(Input):
    """Ends the publication of a section or an FAQ."""

    type: Literal[PublicationType.GONE, PublicationType.MOVED, PublicationType.RECALLED] = (
        Described(
            description="`gone`: the text is no longer published. `moved`: another text replaces "
            "it. `recalled`: the text was wrong or harmful, and copies must be removed at once."
        )
    )
    reason: Paragraphs | None = Described(
        default=None,
        description="Why, in words for patients: readers of the old address see it. Required for "
        "`gone` and `recalled`, and not allowed for `moved`.",
    )
    moved_to: Slug | None = Described(
        default=None,
        description="Slug of the live text of the same kind and language to which readers are "
        "sent. Required for `moved`, and not allowed for the other types.",
    )
    from_at: Instant | None = Described(
        default=None, alias="from", description="From when on, with an offset; by default now."
    )
