"""`content pull`: writes what is live into a folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data.documents.files import ContentFile, read_files
from data.documents.recorded import RecordedContent, RecordedDocument
from data.documents.writing import FileDocument, file_name, file_text, write_document
from data.operations.content_marks import Mark, Marks, read_marks, write_marks
from models.document import DocumentKey, Kind
from models.document_file import FileFacts


@dataclass
class Pulled:
    """The result of a pull. `left` says why a file was left, `drafts` names newer revisions."""

    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    left: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)


def pull_content(folder: Path, *, recorded: RecordedContent) -> Pulled:
    """Writes the files of all texts that are or were public, and `.revisions.json`.

    A withdrawn text gets `withdrawn_on`, a moved one is a former slug of its target. A file that
    already says the same is not touched. Raises `OSError` and `MarksFault`.
    """
    known = read_marks(folder).of(recorded)
    found = read_files(folder)
    pulled = Pulled()
    marks: dict[str, Mark] = {}
    for key, document in sorted(recorded.documents.items()):
        file = found.files.get((key.kind, key.slug))
        content = document.file_content
        if content is not None:
            wanted = FileDocument(
                content,
                facts_of(document, recorded),
                recorded.initial if key.kind is Kind.STATUS else None,
            )
            if _says(file, wanted, document, recorded) and wanted.initial in (None, found.initial):
                pulled.unchanged += 1
            else:
                write_document(folder, key, file_text(key, wanted))
                pulled.written.append(file_name(key))
            marks["/".join(key)] = Mark.of(document)
        elif document.moved_to and document.newest:
            marks["/".join(key)] = Mark.of(document)
        elif file and (mark := known.find(key)):
            marks["/".join(key)] = mark
        if document.has_draft and not document.moved_to:
            pulled.drafts.append(f"{file_name(key)}: revision {document.newest} is not public")
    pulled.left = [*_left(found.files, recorded)]
    for fault in found.faults:
        if fault.file not in pulled.written and (folder / fault.file).exists():
            pulled.left.append(str(fault))
    pulled.left.sort()
    write_marks(folder, Marks(recorded.source, marks))
    return pulled


def facts_of(document: RecordedDocument, recorded: RecordedContent) -> FileFacts:
    """The facts of a file besides the content of its document."""
    if document.key.kind not in (Kind.SECTION, Kind.FAQ):
        return FileFacts(slug=document.key.slug)
    return FileFacts(
        slug=document.key.slug,
        former_slugs=recorded.former_slugs.get(document.key, []),
        withdrawn_on=document.withdrawn_on,
        review=document.last_review if document.is_withdrawn else document.review,
    )


def _says(
    file: ContentFile | None,
    wanted: FileDocument,
    document: RecordedDocument,
    recorded: RecordedContent,
) -> bool:
    """Whether a file already says what is recorded.

    A text that was withdrawn may name any past day, since a withdrawal takes effect when it is
    pushed. A former slug may be missing if it leads to the text only by way of another one.
    """
    if file is None or file.content != wanted.content:
        return False
    facts = file.facts
    day, formers = facts.withdrawn_on, set(facts.former_slugs)
    was_withdrawn = document.is_withdrawn and day is not None and day <= recorded.today()
    direct = {
        slug
        for slug in wanted.facts.former_slugs
        if recorded.documents[document.key._replace(slug=slug)].moved_to == document.key.slug
    }
    return (
        facts.review == wanted.facts.review
        and (was_withdrawn or day == wanted.facts.withdrawn_on)
        and direct <= formers <= set(wanted.facts.former_slugs)
    )


def _left(
    files: Mapping[tuple[Kind, str], ContentFile], recorded: RecordedContent
) -> Iterator[str]:
    for (kind, slug), file in sorted(files.items()):
        key = DocumentKey(kind, slug, recorded.locale)
        document = recorded.documents.get(key)
        if document is None:
            yield f"{file.source.file}: there is no such document, `content push` adds it"
        elif document.moved_to:
            target = recorded.target_of(key, moves={})
            yield f"{file.source.file}: moved to `{target}`, delete this file"
        elif document.file_content is None:
            yield f"{file.source.file}: nothing of it is public"
