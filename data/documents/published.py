"""The published documents of one time, in memory.

They are read again when the content version has changed, or when a publication begins or ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Pool
from sqlmodel import Session

from data.documents.content_version import CHANGED, PUBLISHED, find_content_version
from data.documents.effective import (
    EffectivePublications,
    PastPublication,
    PublishedText,
    find_next_boundary,
    read_effective,
)
from models.clinic import ClinicContent
from models.document import DocumentKey, Kind
from models.faq import FAQContent
from models.notice import NoticesContent
from models.publication import Moved, Withdrawn
from models.section import SectionContent
from models.status_content import StatusContent
from models.values import Input, utc_now

C = TypeVar("C", bound=Input)
T = TypeVar("T", SectionContent, FAQContent)


class NotLoaded(Exception):
    """The database has no content yet."""


@dataclass(frozen=True)
class Published:
    """All documents that are or were public. It is valid from `begins` to `until`."""

    version: int
    begins: datetime
    until: datetime | None
    effective: EffectivePublications = field(repr=False)

    def covers(self, now: datetime) -> bool:
        return self.begins <= now and (self.until is None or now < self.until)

    @cached_property
    def default_locale(self) -> str:
        """The clinic's default language, a BCP 47 tag. Raises `NotLoaded`."""
        for key, text in self.effective.texts.items():
            if key.kind is Kind.CLINIC and isinstance(text, PublishedText):
                locale = cast(ClinicContent, text.content).locales[0]
                if locale == key.locale:
                    return locale
        raise NotLoaded

    @property
    def clinic(self) -> ClinicContent:
        return self._single(Kind.CLINIC, ClinicContent)

    @property
    def status(self) -> StatusContent:
        return self._single(Kind.STATUS, StatusContent)

    @property
    def notices(self) -> NoticesContent:
        return self._single(Kind.NOTICES, NoticesContent)

    def _single(self, kind: Kind, model: type[C]) -> C:
        return cast(C, self.document(kind).content)

    def document(self, kind: Kind) -> PublishedText:
        """The only document of its kind. Raises `NotLoaded`."""
        text = self.find(kind, kind)
        if not isinstance(text, PublishedText):
            raise NotLoaded
        return text

    def find(self, kind: Kind, slug: str) -> PublishedText | Moved | Withdrawn | None:
        """A document in the default language; `None` for an unknown slug.

        `Moved` has the newest slug, also if the text moved more than once.
        """
        texts, locale = self.effective.texts, self.default_locale
        found = texts.get(DocumentKey(kind, slug, locale))
        passed = {slug}
        while isinstance(found, Moved) and found.slug not in passed:
            passed.add(found.slug)
            following = texts.get(DocumentKey(kind, found.slug, locale))
            if not isinstance(following, Moved):
                break
            found = following
        return found

    def histories(self) -> Iterator[tuple[DocumentKey, Sequence[PastPublication]]]:
        """For each document, its publications that have begun, the earliest first."""
        for document_id, history in self.effective.histories.items():
            yield self.effective.keys[document_id], history

    @cached_property
    def sections(self) -> Sequence[tuple[str, PublishedText, SectionContent]]:
        """The slugs, documents and contents of all sections, in their order."""
        return self._ordered(Kind.SECTION, SectionContent)

    @cached_property
    def faqs(self) -> Sequence[tuple[str, PublishedText, FAQContent]]:
        return self._ordered(Kind.FAQ, FAQContent)

    def _ordered(self, kind: Kind, model: type[T]) -> list[tuple[str, PublishedText, T]]:
        locale = self.default_locale
        texts = [
            (key.slug, text, text.content)
            for key, text in self.effective.texts.items()
            if key.kind is kind and key.locale == locale and isinstance(text, PublishedText)
            if isinstance(text.content, model)
        ]
        return sorted(texts, key=lambda text: (text[2].position, text[0]))


_latest: WeakKeyDictionary[Pool, Published] = WeakKeyDictionary()


def find_published(session: Session, *, at: datetime | None = None) -> Published:
    """The published documents at a time, by default now."""
    now = at or utc_now()
    known: Published | None = session.info.get(PUBLISHED)
    if known and known.covers(now):
        return known
    version = find_content_version(session)
    engine = session.get_bind().engine
    latest = _latest.get(engine.pool)
    if latest is None or latest.version != version or not latest.covers(now):
        latest = _read(session, version=version, now=now, previous=latest)
        # A transaction that writes may see what others never will.
        if CHANGED not in session.info and not _writes(engine):
            _latest[engine.pool] = latest
    session.info[PUBLISHED] = latest
    return latest


def find_locale(session: Session) -> str:
    """The clinic's default language, a BCP 47 tag. Raises `NotLoaded`."""
    return find_published(session).default_locale


def _writes(engine: Engine) -> bool:
    return bool(engine.get_execution_options().get("writes"))


def _read(
    session: Session, *, version: int, now: datetime, previous: Published | None
) -> Published:
    effective = read_effective(
        session, version=version, now=now, previous=previous.effective if previous else None
    )
    until = find_next_boundary(session, now=now)
    return Published(version, begins=now, until=until, effective=effective)
