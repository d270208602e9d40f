"""Checks the documents that result from a push."""

from collections.abc import Iterator, Mapping

from data.documents.checks import (
    Finding,
    check_documents,
    check_former_slugs,
    fault_of,
)
from data.documents.consents import REASON, find_unversioned
from data.documents.files import ContentFaults, ContentFolder, Fault
from data.documents.recorded import RecordedContent
from data.operations.content_plan import name_of
from models.consultation_form import FormContent
from models.document import DocumentKey, Kind
from models.values import Input


def check_result(folder: ContentFolder, recorded: RecordedContent) -> None:
    """Raises `ContentFaults` if the documents would have faults after a push of the folder.

    A fault that the public documents have already, and that the folder does not touch, is none.
    """
    _check_locale(folder, recorded)
    former = {
        key._replace(slug=slug)
        for key, file in folder.files.items()
        for slug in file.facts.former_slugs
    }
    before = {
        key: document.file_content
        for key, document in recorded.documents.items()
        if document.file_content is not None
    }
    contents = {key: value for key, value in before.items() if key not in former} | folder.contents
    faults = [
        *check_former_slugs(folder),
        *_consent_faults(folder, before),
        *(_fault_of(finding, folder) for finding in _new_findings(contents, before)),
    ]
    if faults:
        raise ContentFaults(sorted(faults))


def _check_locale(folder: ContentFolder, recorded: RecordedContent) -> None:
    for key, file in folder.files.items():
        if key.kind is Kind.CLINIC and key.locale != recorded.locale:
            reason = f"locales: a push cannot change the default language `{recorded.locale}`"
            raise ContentFaults([file.source.fault(("locales",), reason)])


def _new_findings(
    contents: Mapping[DocumentKey, Input], before: Mapping[DocumentKey, Input]
) -> Iterator[Finding]:
    # Public documents were checked when they were published.
    same = {key for key, content in contents.items() if before.get(key) == content}
    findings = check_documents(contents, known=same)
    known = check_documents(before, known=before) if findings else []
    for finding in findings:
        if finding.key not in same or finding not in known:
            yield finding


def _fault_of(finding: Finding, folder: ContentFolder) -> Fault:
    if finding.key in folder.files:
        return fault_of(finding, folder)
    path = ".".join(map(str, finding.position))
    return Fault(f"{name_of(finding.key)} (not in the folder)", 1, f"{path}: {finding.reason}")


def _consent_faults(folder: ContentFolder, before: Mapping[DocumentKey, Input]) -> Iterator[Fault]:
    for key, file in folder.files.items():
        earlier = before.get(key)
        if isinstance(file.content, FormContent) and isinstance(earlier, FormContent):
            for index in find_unversioned(earlier, file.content):
                yield file.source.fault(("consents", index, "text"), REASON)
