"""Questions that visitors ask, and what the clinic's information answers."""

from datetime import date, datetime

from pydantic import Field as Described
from pydantic import model_validator
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.notice import NoticePublic
from models.section import BodyPublic
from models.values import ClinicState, Input, JSONColumn, Output, Slug, Text


class FAQCreate(Input):
    """One entry of the FAQ file, with one answer, or one for each state of the clinic."""

    slug: Slug
    question: Text
    topic: Slug
    section: Slug | None = None
    answer: Text | None = None
    answers: dict[ClinicState, Text] | None = None
    answered: bool = True
    notices: list[Slug] = []
    former_slugs: list[Slug] = []
    withdrawn_on: date | None = None

    @model_validator(mode="after")
    def _has_an_answer_for_each_state(self) -> "FAQCreate":
        if (self.answer is None) is (self.answers is None):
            raise ValueError("give either `answer` or `answers`")
        if self.answers is not None and set(self.answers) != set(ClinicState):
            raise ValueError("answers: one for each of the three states")
        return self


class FAQsCreate(Input):
    """The content file of the FAQs; their order there is the order served."""

    topics: list[Slug]
    faqs: list[FAQCreate]


class FAQ(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    question: str
    topic: str = Field(index=True)
    section: str | None = Field(index=True)
    answer: str | None
    answers: dict[str, str] | None = Field(sa_type=JSONColumn)
    answered: bool
    notices: list[str] = Field(sa_type=JSONColumn)
    withdrawn_on: date | None
    position: int = Field(index=True)
    version: int
    published_at: datetime
    updated_at: datetime

    def markdown_for(self, state: ClinicState) -> str:
        return self.answers[state] if self.answers else self.answer or ""


class FAQPublic(Output):
    """One question with its answer."""

    slug: str = Described(
        description="Name for use in addresses. An old one leads to the new one (308)."
    )
    question: str = Described(description="As a visitor would ask it.")
    answer: BodyPublic = Described(description="The answer that is true in the clinic's state now.")
    answered: bool = Described(
        description="`false` when the clinic's information does not say; the answer then says so."
    )
    topic: str = Described(description="Slug of what it is about; `topic=` filters by it.")
    position: int = Described(description="Place in the order of the FAQs, from 1.")
    section: str | None = Described(description="Slug of the section it belongs to.")
    notices: list[NoticePublic] = Described(
        description="Caveats to show with the answer, `clinic-status` first while not open."
    )
    depends_on_status: bool = Described(
        description="Whether another answer is served in another state of the clinic."
    )
    clinic_state: ClinicState = Described(description="The clinic's state as this was served.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Raised by one with each change of the text itself.")
    published_at: datetime = Described(description="When it was first published.")
    updated_at: datetime = Described(description="When its text last changed.")


class FAQList(Listing[FAQPublic]):
    """A page of FAQs."""
