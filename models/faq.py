"""Frequently asked questions and their answers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field as Described
from pydantic import StrictBool, StrictInt, model_validator

from models.clinic import TopicPublic
from models.listing import ListMeta
from models.notice import NoticePublic
from models.section import BodyPublic
from models.status import ClinicStatus
from models.texts import PUBLISHED_ON, UPDATED_ON, Slugs, States, require_variants
from models.values import (
    ClinicState,
    ConsultationMode,
    Day,
    FewKeys,
    Input,
    Line,
    MarkdownText,
    Output,
    Slug,
)


class FAQContent(Input):
    """The content of an FAQ.

    It has one answer, or one for each state of the clinic, or one for each mode of its intake.
    """

    question: Line = Described(description="The question, in a visitor's words.")
    position: StrictInt = Described(ge=1, le=9999, description="Position in the order of the FAQs.")
    topic: Slug = Described(description="Slug of one of the clinic's `faq_topics`.")
    section: Slug | None = Described(
        default=None, description="Slug of the section that the FAQ belongs to; `null` for none."
    )
    answer: MarkdownText | None = Described(
        default=None, description="The answer for all states, in CommonMark."
    )
    answer_by_state: Annotated[dict[ClinicState, MarkdownText], FewKeys] | None = Described(
        default=None,
        description="Instead of `answer`: one text for each state in which the FAQ is shown.",
    )
    answer_by_mode: Annotated[dict[ConsultationMode, MarkdownText], FewKeys] | None = Described(
        default=None,
        description="Instead of `answer`: one text for each way in which requests are handled.",
    )
    answered: StrictBool = Described(
        default=True, description="`false` if the answer only says that the answer is not known."
    )
    shown_in: States | None = Described(
        default=None, description="States in which the FAQ is shown; `null` for all."
    )
    notices: Slugs = Described(
        default=[], description="Slugs of the notices that are shown with the answer."
    )
    published_on: Day | None = Described(default=None, description=PUBLISHED_ON)
    updated_on: Day | None = Described(default=None, description=UPDATED_ON)

    @model_validator(mode="after")
    def _check_answer(self) -> "FAQContent":
        if self.answer_by_mode is not None:
            if self.answer is not None or self.answer_by_state is not None:
                raise ValueError("`answer_by_mode` goes without another answer")
            if set(self.answer_by_mode) != set(ConsultationMode):
                raise ValueError("answer_by_mode: one text for each of the four modes")
            return self
        variants = {"answer": self.answer, "answer_by_state": self.answer_by_state}
        require_variants(variants, self.shown_in)
        return self

    @property
    def depends_on_status(self) -> bool:
        return self.answer is None

    def markdown_for(self, status: ClinicStatus) -> str:
        if self.answer_by_state:
            return self.answer_by_state[status.state]
        return self.answer_by_mode[status.mode] if self.answer_by_mode else self.answer or ""


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
        description="Whether the answer depends on the clinic's state or on its mode."
    )
    clinic_state: ClinicState = Described(description="The clinic's state in this answer.")
    locale: str = Described(description="Language of the text, a BCP 47 tag.")
    version: int = Described(description="Version of the text. Each change of it adds one.")
    published_at: datetime | None = Described(
        description="When it was first published; `null` if that is not known."
    )
    updated_at: datetime | None = Described(
        description="When its text last changed essentially; `null` if that is not known."
    )


class FAQListMeta(ListMeta):
    """Facts about the list of FAQs and one page of it."""

    topics: list[TopicPublic] = Described(
        description="All topics of FAQs, in their order, also those without an FAQ."
    )


class FAQList(Output):
    """A page of FAQs."""

    data: list[FAQPublic] = Described(description="The items of this page, in their order.")
    meta: FAQListMeta = Described(
        description="Number of items, the cursor of the next page, and the topics."
    )
