"""Loads content files into the database."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from data.documents.checks import check_content
from data.documents.files import Content, ContentFaults, Fault, FilePosition, Source
from data.documents.publications import record_change
from data.operations.status_changes import append_first_change
from models.clinic import Clinic
from models.consultation_form import ConsultationForm
from models.faq import FAQ
from models.notice import Notice
from models.publication import FormerSlug, Kind
from models.section import Section
from models.status_change import StatusChange
from models.status_content import StatusContent
from models.values import utc_now


@dataclass
class Loaded:
    """The names of the texts that a load added or changed."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def is_loaded(session: Session) -> bool:
    return session.get(Clinic, 1) is not None


def load_content(session: Session, *, content: Content) -> Loaded:
    """Adds new texts and changes different ones, in one transaction. A second load does nothing.

    Raises `ContentFaults` if the files contradict each other or what was published.
    """
    content_faults = check_content(content)
    if content_faults:
        raise ContentFaults(content_faults)
    load = _Load(session, content)
    load.run()
    session.flush()
    return load.done


class _Load:
    def __init__(self, session: Session, content: Content) -> None:
        self.session = session
        self.content = content
        self.now: datetime = utc_now()
        self.done = Loaded()

    def run(self) -> None:
        content = self.content
        self._singleton(Clinic, Kind.CLINIC, content.clinic.model_dump(mode="json"))
        texts = content.status.model_dump(mode="json", exclude={"initial"})
        self._singleton(StatusContent, Kind.STATUS, texts)
        self._form()
        self._notices()
        for file in content.sections:
            values = file.section.model_dump(mode="json", exclude={"former_slugs", "review"})
            values |= file.section.review.model_dump()
            values["withdrawn_on"] = file.section.withdrawn_on
            former = file.section.former_slugs
            self._text(Section, Kind.SECTION, values, former, file.source, ())
        source = content.sources["faqs.yaml"]
        for position, faq in enumerate(content.faqs.faqs, start=1):
            values = faq.model_dump(mode="json", exclude={"former_slugs"})
            values |= {"position": position, "withdrawn_on": faq.withdrawn_on}
            entry = ("faqs", position - 1)
            self._text(FAQ, Kind.FAQ, values, faq.former_slugs, source, entry)
        self._refuse_vanished()
        self._first_status()

    def _note(self, names: list[str], kind: Kind, slug: str | None = None) -> None:
        """Adds a document to the names of what was added or changed."""
        names.append(f"{kind} {slug}" if slug else kind)
        record_change(self.session, kind=kind, slug=slug)

    def _singleton(self, table: type[Any], kind: Kind, values: dict[str, Any]) -> None:
        row = self.session.get(table, 1)
        if row is None:
            self.session.add(table(**values))
            self._note(self.done.added, kind)
        elif _assign(row, values):
            self._note(self.done.changed, kind)

    def _form(self) -> None:
        document = self.content.form.model_dump(mode="json")
        newest = self.session.exec(
            select(ConsultationForm).order_by(col(ConsultationForm.version).desc()).limit(1)
        ).first()
        # Compared as text, because the order of the fields counts.
        if newest is None or json.dumps(newest.document) != json.dumps(document):
            version = newest.version + 1 if newest else 1
            row = ConsultationForm(version=version, document=document, published_at=self.now)
            self.session.add(row)
            self._note(self.done.added, Kind.FORM, str(version))

    def _notices(self) -> None:
        known = {notice.slug: notice for notice in self.session.exec(select(Notice))}
        for position, notice in enumerate(self.content.notices.notices, start=1):
            values = notice.model_dump() | {"position": position}
            row = known.pop(notice.slug, None)
            if row is None:
                self.session.add(Notice(**values))
                self._note(self.done.added, Kind.NOTICE, notice.slug)
            elif _assign(row, values):
                self._note(self.done.changed, Kind.NOTICE, notice.slug)
        # No text uses them any more: `check_content` has checked that.
        for row in known.values():
            self.session.delete(row)
            self._note(self.done.changed, Kind.NOTICE, row.slug)

    def _text(
        self,
        table: type[Any],
        kind: Kind,
        values: dict[str, Any],
        former_slugs: Iterable[str],
        source: Source,
        entry: FilePosition,
    ) -> None:
        names = [values["slug"], *former_slugs]
        rows = self.session.exec(select(table).where(col(table.slug).in_(names))).all()
        if len(rows) > 1:
            raise ContentFaults(
                [source.fault((*entry, "former_slugs"), "another text still has the former slug")]
            )
        slug = values["slug"]
        if not rows:
            stamps = {"version": 1, "published_at": self.now, "updated_at": self.now}
            self.session.add(table(**values, **stamps))
            self._note(self.done.added, kind, slug)
        elif _assign(rows[0], values):
            rows[0].version += 1
            rows[0].updated_at = self.now
            self._note(self.done.changed, kind, slug)
        for former_slug in former_slugs:
            self.session.merge(FormerSlug(kind=kind, slug=former_slug, current_slug=slug))
        self.session.flush()

    def _refuse_vanished(self) -> None:
        given: dict[type[Any], tuple[str, set[str]]] = {
            Section: ("sections", {file.section.slug for file in self.content.sections}),
            FAQ: ("faqs.yaml", {faq.slug for faq in self.content.faqs.faqs}),
        }
        vanished = [
            Fault(file, 1, f"`{slug}` was published: keep it with `withdrawn_on`, or rename it")
            for table, (file, slugs) in given.items()
            for slug in self.session.exec(select(table.slug))
            if slug not in slugs
        ]
        if vanished:
            raise ContentFaults(sorted(vanished))

    def _first_status(self) -> None:
        if self.session.exec(select(StatusChange.id).limit(1)).first() is not None:
            return
        append_first_change(self.session, initial=self.content.status.initial)


def _assign(row: Any, values: dict[str, Any]) -> bool:
    """Sets the values that differ; returns whether any value did."""
    different = {key: value for key, value in values.items() if getattr(row, key) != value}
    for key, value in different.items():
        setattr(row, key, value)
    return bool(different)
