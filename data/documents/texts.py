"""The context of each text: the time, the clinic's state, the notices, the language."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TypeVar

from sqlmodel import Session

from data.documents.effective import PublishedText
from data.documents.published import Published, find_published
from data.documents.status import find_status
from data.paging import Cursor, Page, page_of
from models.faq import FAQContent
from models.markdown import render
from models.notice import CLINIC_STATUS, NoticePublic
from models.section import BodyPublic, SectionContent
from models.status import ClinicStatus
from models.values import ClinicState, utc_now

C = TypeVar("C", SectionContent, FAQContent)
# The slug, the document and its content.
Text = tuple[str, PublishedText, C]


@dataclass(frozen=True)
class TextContext:
    """The facts of one time with which all texts are served."""

    now: datetime
    status: ClinicStatus
    published: Published

    @property
    def locale(self) -> str:
        return self.published.default_locale

    @cached_property
    def today(self) -> date:
        """The day in the clinic's time zone."""
        return self.now.astimezone(self.published.clinic.zone).date()

    @cached_property
    def sections(self) -> Sequence[Text[SectionContent]]:
        """The sections that are shown in the clinic's state, in their order."""
        return [text for text in self.published.sections if self.shows(text[2])]

    @cached_property
    def faqs(self) -> Sequence[Text[FAQContent]]:
        return [text for text in self.published.faqs if self.shows(text[2])]

    @cached_property
    def faqs_by_section(self) -> Mapping[str | None, list[str]]:
        """The slugs of the FAQs that are shown, by the slug of their section."""
        slugs: dict[str | None, list[str]] = defaultdict(list)
        for slug, _, content in self.faqs:
            slugs[content.section].append(slug)
        return slugs

    @cached_property
    def section_slugs(self) -> Collection[str]:
        return {slug for slug, _, _ in self.sections}

    def shows(self, content: SectionContent | FAQContent) -> bool:
        return content.shown_in is None or self.status.state in content.shown_in

    def notices_for(self, slugs: Collection[str]) -> list[NoticePublic]:
        """The notices of a text. The clinic's status comes first, unless the clinic is open."""
        served = [
            NoticePublic(slug=notice.slug, text=notice.text)
            for notice in self.published.notices.notices
            if notice.scope == "site" or notice.slug in slugs
        ]
        if self.status.state is not ClinicState.OPEN:
            served.insert(0, NoticePublic(slug=CLINIC_STATUS, text=self.status.message))
        return served

    def published_at(self, text: Text[C]) -> datetime | None:
        """When a text was first published: the day in its content, or its first publication."""
        _, document, content = text
        return self._start_of(content.published_on) or document.days.first_published_at

    def updated_at(self, text: Text[C]) -> datetime | None:
        """When a text last changed essentially; `None` if that is not known."""
        _, document, content = text
        instants = (
            self._start_of(content.published_on),
            self._start_of(content.updated_on),
            document.days.last_major_at,
        )
        return max((instant for instant in instants if instant), default=None)

    def _start_of(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        return datetime.combine(day, time.min, self.published.clinic.zone).astimezone(UTC)


def find_context(session: Session) -> TextContext:
    now = utc_now()
    status = find_status(session, at=now)
    return TextContext(now, status, find_published(session, at=now))


def read_texts(
    texts: Sequence[Text[C]], *, limit: int | None, after: Cursor | None
) -> Page[Text[C]]:
    """A page of texts in their order. Raises `WrongCursor`."""
    return page_of(texts, key=lambda text: (text[2].position, text[0]), limit=limit, after=after)


def body_of(markdown: str) -> BodyPublic:
    rendered = render(markdown)
    return BodyPublic(markdown=markdown, html=rendered.html, text=rendered.text)
