"""Documents, revisions and publications as staff reads them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import ConfigDict, RootModel
from pydantic import Field as Described

from models.clinic import ClinicContent
from models.consultation_form import FormContent
from models.document import ChangeSize, Kind, Origin, PublicationType
from models.faq import FAQContent
from models.listing import Listing
from models.notice import NoticesContent
from models.section import SectionContent
from models.status_change import Standing
from models.status_content import StatusContent
from models.synonyms import SynonymsContent
from models.values import Input, Output

K = TypeVar("K", bound=str)
C = TypeVar("C", bound=Input)


class DocumentState(StrEnum):
    """Whether a document is public."""

    DRAFT = "draft"
    LIVE = "live"
    CHANGED = "changed"
    PLANNED = "planned"
    WITHDRAWN = "withdrawn"


class ReviewState(StrEnum):
    """The result of the last review, and whether the next one is due."""

    NONE = "none"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    DUE = "due"
    OVERDUE = "overdue"


class DocumentReview(Output):
    """The last review of a document."""

    status: ReviewState = Described(
        description="`none` before the first review. `due`: the next review is due within 30 days. "
        "`overdue`: its day has passed."
    )
    revision: int | None = Described(description="The revision that was reviewed; `null` for none.")
    reviewed_by: str | None = Described(description="Who reviewed it; `null` for nobody.")
    reviewed_on: date | None = Described(description="Day of the expert's check; `null` for none.")
    next_review_due_on: date | None = Described(
        description="Day by which the next review is due; `null` if none was set."
    )


class PlannedPublication(Output):
    """A publication or a withdrawal that has not begun."""

    model_config = ConfigDict(coerce_numbers_to_str=True, validate_by_name=True)

    id: str = Described(description="Id of the publication.")
    type: PublicationType = Described(
        description="`published`, or how the text is withdrawn: `gone`, `moved` or `recalled`."
    )
    revision: int | None = Described(
        description="The revision that becomes public; `null` for a withdrawal."
    )
    from_at: datetime = Described(alias="from", description="From when on.")
    until_at: datetime | None = Described(
        alias="until", description="Until when; `null` for no end."
    )
    change: ChangeSize | None = Described(description="Size of the change; `null` for withdrawals.")
    note: str | None = Described(description="Why; `null` if it was not given.")
    reason: str | None = Described(
        description="Reason of a withdrawal, in words for patients; `null` for none."
    )
    moved_to: str | None = Described(
        description="Slug of the text that replaces a moved one; `null` for the other types."
    )


class StaffPublication(PlannedPublication):
    """A publication or a withdrawal of a document."""

    state: Standing = Described(
        description="`planned` before it begins, then `in_effect` or `past`; or `called_off` "
        "before it began. A `past` one is in effect again if all later ones end."
    )
    recorded_at: datetime = Described(description="When it was recorded.")
    recorded_by: str = Described(description="Who recorded it: the owner of the token.")


class PublicationRecorded(Output):
    """A new publication, and the planned ones."""

    model_config = ConfigDict(coerce_numbers_to_str=True, validate_by_name=True)

    id: str = Described(description="Id of the publication.")
    revision: int = Described(description="The revision that it makes public.")
    from_at: datetime = Described(alias="from", description="From when on.")
    until_at: datetime | None = Described(
        alias="until", description="Until when; `null` for no end."
    )
    change: ChangeSize = Described(description="Size of the change.")
    note: str | None = Described(description="Why; `null` if it was not given.")
    planned: list[PlannedPublication] = Described(
        description="All publications and withdrawals of the document that are planned after this "
        "call, the next one first. They stay planned until they are called off."
    )


class WithdrawalRecorded(Output):
    """A new withdrawal."""

    model_config = ConfigDict(coerce_numbers_to_str=True, validate_by_name=True)

    id: str = Described(description="Id of the withdrawal, which is listed as a publication.")
    type: PublicationType = Described(description="`gone`, `moved` or `recalled`.")
    reason: str | None = Described(description="Why, in words for patients; `null` for `moved`.")
    moved_to: str | None = Described(
        description="Slug of the text that replaces it; `null` for the other types."
    )
    from_at: datetime = Described(alias="from", description="From when on.")


class _DocumentFacts(Output):
    slug: str = Described(description="Identifier for use in URLs.")
    locale: str = Described(description="Language, a BCP 47 tag.")
    title: str | None = Described(
        description="Title, question or name in the newest revision that has a content; `null` for "
        "none."
    )
    state: DocumentState = Described(
        description="`draft`: never published. `live`: the newest revision is public. `changed`: "
        "an older revision is public. `planned`: not public, but a publication is planned. "
        "`withdrawn`: no longer public."
    )
    live_revision: int | None = Described(
        description="The revision that is public; `null` for none."
    )
    newest_revision: int | None = Described(
        description="The newest revision; `null` if the document only redirects to another one."
    )
    planned: list[PlannedPublication] = Described(
        description="Planned publications and withdrawals, the next one first."
    )
    review: DocumentReview = Described(description="The last review.")
    updated_at: datetime | None = Described(
        description="When the newest revision was saved; `null` for none."
    )
    updated_by: str | None = Described(
        description="Who saved the newest revision; `null` for none."
    )


class DocumentLine(_DocumentFacts):
    """A document without its content."""

    kind: Kind = Described(description="Kind of the document.")


class DocumentList(Listing[DocumentLine]):
    """A page of documents."""


class PublicationList(Listing[StaffPublication]):
    """A page of publications and withdrawals, the newest first."""


class _Document(_DocumentFacts, Generic[K, C]):
    kind: K = Described(description="Kind of the document.")
    revision: int | None = Described(
        description="Number of the newest revision; `null` if there is none."
    )
    content: C | None = Described(
        description="Content of the newest revision; `null` if there is none or it was blanked."
    )
    note: str | None = Described(description="Note of the newest revision; `null` for none.")


class RevisionLine(Output):
    """A revision without its content."""

    revision: int = Described(description="Number of the revision.")
    saved_at: datetime = Described(description="When it was saved.")
    saved_by: str = Described(description="Who saved it.")
    origin: Origin = Described(
        description="`staff`: sent by staff. `file`: from a content file. `migration`: from an "
        "older version of the database."
    )
    note: str | None = Described(description="A remark about the revision; `null` for none.")


class RevisionList(Listing[RevisionLine]):
    """A page of revisions, the newest first."""


class _Revision(RevisionLine, Generic[K, C]):
    kind: K = Described(description="Kind of the document.")
    content: C | None = Described(description="The content; `null` if it was blanked.")


class ClinicDocument(_Document[Literal["clinic"], ClinicContent]):
    """The clinic's facts, with the newest content."""


class StatusDocument(_Document[Literal["status"], StatusContent]):
    """The words for the clinic's states, with the newest content."""


class FormDocument(_Document[Literal["form"], FormContent]):
    """The form, with the newest content."""


class NoticesDocument(_Document[Literal["notices"], NoticesContent]):
    """The notices, with the newest content."""


class SynonymsDocument(_Document[Literal["synonyms"], SynonymsContent]):
    """The search's synonyms, with the newest content."""


class SectionDocument(_Document[Literal["section"], SectionContent]):
    """A section, with the newest content."""


class FAQDocument(_Document[Literal["faq"], FAQContent]):
    """An FAQ, with the newest content."""


class ClinicRevision(_Revision[Literal["clinic"], ClinicContent]):
    """One revision of the clinic's facts."""


class StatusRevision(_Revision[Literal["status"], StatusContent]):
    """One revision of the words for the clinic's states."""


class FormRevision(_Revision[Literal["form"], FormContent]):
    """One revision of the form."""


class NoticesRevision(_Revision[Literal["notices"], NoticesContent]):
    """One revision of the notices."""


class SynonymsRevision(_Revision[Literal["synonyms"], SynonymsContent]):
    """One revision of the search's synonyms."""


class SectionRevision(_Revision[Literal["section"], SectionContent]):
    """One revision of a section."""


class FAQRevision(_Revision[Literal["faq"], FAQContent]):
    """One revision of an FAQ."""


class DocumentPublic(
    RootModel[
        Annotated[
            ClinicDocument
            | StatusDocument
            | FormDocument
            | NoticesDocument
            | SynonymsDocument
            | SectionDocument
            | FAQDocument,
            Described(discriminator="kind"),
        ]
    ]
):
    """A document with the content of its newest revision. `kind` says which schema it has."""


class RevisionPublic(
    RootModel[
        Annotated[
            ClinicRevision
            | StatusRevision
            | FormRevision
            | NoticesRevision
            | SynonymsRevision
            | SectionRevision
            | FAQRevision,
            Described(discriminator="kind"),
        ]
    ]
):
    """A revision with its content. `kind` says which schema the content has."""
