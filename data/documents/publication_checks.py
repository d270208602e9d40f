"""Checks a publication before it is recorded: which faults would it make public?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from data.documents.checks import Finding, check_documents
from data.documents.consents import find_unversioned
from data.documents.effective import PublishedText
from data.documents.published import Published, find_published
from models.clinic import ClinicContent
from models.consultation_form import FormContent
from models.document import DocumentKey
from models.values import Input


@dataclass(frozen=True)
class PublicationFault:
    """A fault of one field of a publication or a withdrawal.

    `detail` is a sentence without anything that a person wrote in a text; `None` for the usual
    sentence of the reason.
    """

    field: str
    reason: str
    detail: str | None = None


def find_added_faults(
    session: Session, *, key: DocumentKey, content: Input, at: datetime
) -> list[PublicationFault]:
    """The faults that publishing a content adds to what is public at a time.

    They are faults of its own text, and of other texts that depend on it.
    """
    published = find_published(session, at=at)
    before = _contents(published, key.locale)
    after = {**before, key: content}
    others = before.keys() - {key}
    findings = (check_documents(contents, known=others) for contents in (before, after))
    faults = [_fault_of(finding, of=key) for finding in _added(*findings)]
    if isinstance(content, ClinicContent):
        faults += _faults_of_languages(content, published)
    live = before.get(key)
    if isinstance(content, FormContent) and isinstance(live, FormContent):
        faults += _faults_of_consents(live, content)
    return faults


def _contents(published: Published, locale: str) -> dict[DocumentKey, Input]:
    """The published contents in one language."""
    return {
        key: text.content
        for key, text in published.effective.texts.items()
        if key.locale == locale and isinstance(text, PublishedText)
    }


def _added(before: list[Finding], after: list[Finding]) -> Iterator[Finding]:
    # The line is not compared: an old fault can move to another line.
    known = Counter((f.key, f.position, f.reason) for f in before)
    for finding in after:
        name = (finding.key, finding.position, finding.reason)
        known[name] -= 1
        if known[name] < 0:
            yield finding


def _fault_of(finding: Finding, *, of: DocumentKey) -> PublicationFault:
    field = ".".join(map(str, finding.position))
    line = f", line {finding.line + 1}" if finding.line else ""
    fault = f"`{field}`{line}: {finding.reason}."
    if finding.key == of:
        return PublicationFault("revision", "has_faults", f"In {fault}")
    name = f"{finding.key.kind} `{finding.key.slug}`"
    return PublicationFault("revision", "breaks_others", f"In the {name}, {fault}")


def _faults_of_languages(
    content: ClinicContent, published: Published
) -> Iterator[PublicationFault]:
    # Everything that is public is found through the default language.
    if content.locales[0] != published.default_locale:
        detail = "In `locales.0`: the default language cannot change."
        yield PublicationFault("revision", "default_locale", detail)


def _faults_of_consents(live: FormContent, new: FormContent) -> Iterator[PublicationFault]:
    for index in find_unversioned(live, new):
        detail = f"In `consents.{index}`: a changed text needs a higher `version`."
        yield PublicationFault("revision", "consent_version", detail)
