"""Frequently asked questions and their answers."""

from datetime import date, datetime

from pydantic import Field as Described
from pydantic import model_validator
from sqlmodel import Field, SQLModel

from models.listing import Listing
from models.notice import NoticePublic
from models.section import BodyPublic
from models.values import ClinicState, Input, JSONColumn, Output, Slug, Text


class FAQCreate(Input):
    """One entry of the FAQ file. It has one answer, or one answer for each state of the clinic."""

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
    def _check_answers(self) -> "FAQCreate":
        if (self.answer is None) is (self.answers is None):
            raise ValueError("give either `answer` or `answers`")
        if self.answers is not None and set(self.answers) != set(ClinicState):
            raise ValueError("answers: one for each of the three states")
        return self


class FAQsCreate(Input):
    """The content file of the FAQs. They are served in the order of the file."""

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
        description="Identifier for use in URLs. A former slug redirects to the current one (308)."
    )
    question: str = Described(description="The question, in a visitor's words.")
    answer: BodyPublic = Described(description="The answer for the clinic's current state.")
    answered: bool = Described(
        description="`false` if the clinic's information does not answer the question. The answer "
        "then says so."
    )
    topic: str = Described(description="Slug of the topic; the parameter `topic` filters by it.")
    position: int = Described(description="Position in the order of the FAQs, from 1.")
    section: str | None = Described(
        description="Slug of the section that the FAQ belongs to; `null` for none."
    )
    notices: list[NoticePublic] = Described(
        description="Notices to show with the answer. `clinic-status` is the first, unless the "
        "clinic is open."
    )
    depends_on_status: bool = Described(
        description="Whether the answer depends on the state of the clinic."
    )
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Version of the text. Each change of it adds one.")
    published_at: datetime = Described(description="When it was first published.")
    updated_at: datetime = Described(description="When its text last changed.")


class FAQList(Listing[FAQPublic]):
    """A page of FAQs."""
