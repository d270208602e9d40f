"""The linter: checks documents against each other, and each Markdown text."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from data.documents.files import BODY_FIELDS, ContentFolder, Fault, FilePosition
from models.clinic import ClinicContent
from models.document import DocumentKey, Kind
from models.faq import FAQContent
from models.markdown import render
from models.notice import NoticesContent
from models.section import SectionContent
from models.values import Input

# Unlike the parser of `models/markdown.py`, it also recognises what is not served.
_full_parser = MarkdownIt("commonmark", {"html": True})
_NOT_SERVED = {"html_block": "raw HTML", "html_inline": "raw HTML", "image": "an image"}


@dataclass(frozen=True)
class Finding:
    """A fault of a document. `line` counts from 0 in the text at `position`.

    `reason` contains nothing that a person wrote.
    """

    key: DocumentKey
    position: FilePosition
    reason: str
    line: int = 0


def check_documents(
    contents: Mapping[DocumentKey, Input], *, known: Collection[DocumentKey] = ()
) -> list[Finding]:
    """All faults between the documents of one language, and inside their texts.

    The texts of the documents in `known` are not read.
    """
    found: list[Finding] = []
    names = {locale: _Names.of(contents, locale) for locale in {key.locale for key in contents}}
    for key, content in contents.items():
        if isinstance(content, SectionContent | FAQContent):
            found += _check_references(key, content, names[key.locale], contents)
            if key not in known:
                found += _check_texts(key, content)
    return found


def check_folder(folder: ContentFolder) -> list[Fault]:
    """All faults of a folder, whose files are valid one by one."""
    faults = [fault_of(finding, folder) for finding in check_documents(folder.contents)]
    return sorted([*faults, *check_former_slugs(folder)])


def check_former_slugs(folder: ContentFolder) -> list[Fault]:
    """A former slug must lead to one text, and must not be the slug of a text."""
    former = Counter(
        key._replace(slug=slug)
        for key, file in folder.files.items()
        for slug in file.facts.former_slugs
    )
    return [
        file.source.fault(("former_slugs",), f"`{slug}` is in use")
        for key, file in folder.files.items()
        for slug in file.facts.former_slugs
        if (name := key._replace(slug=slug)) in folder.files or former[name] > 1
    ]


def fault_of(finding: Finding, folder: ContentFolder) -> Fault:
    """The finding with the file and the line of its document."""
    source = folder.files[finding.key].source
    is_body = finding.position == (BODY_FIELDS.get(finding.key.kind),)
    first = source.body_line if is_body else source.line(finding.position)
    return Fault(source.file, first + finding.line, finding.reason)


@dataclass(frozen=True)
class _Names:
    """The names that texts of one language can use. `notices` is `None` if they are not known."""

    notices: Collection[str] | None
    topics: Collection[str]

    @classmethod
    def of(cls, contents: Mapping[DocumentKey, Input], locale: str) -> "_Names":
        notices = contents.get(DocumentKey(Kind.NOTICES, Kind.NOTICES, locale))
        clinic = contents.get(DocumentKey(Kind.CLINIC, Kind.CLINIC, locale))
        return cls(
            {notice.slug for notice in notices.notices}
            if isinstance(notices, NoticesContent)
            else None,
            {topic.slug for topic in clinic.faq_topics}
            if isinstance(clinic, ClinicContent)
            else set(),
        )


def _check_references(
    key: DocumentKey,
    content: SectionContent | FAQContent,
    names: _Names,
    contents: Mapping[DocumentKey, Input],
) -> Iterator[Finding]:
    for index, slug in enumerate(content.notices):
        if names.notices is not None and slug not in names.notices:
            yield Finding(key, ("notices", index), "the notice does not exist")
    if isinstance(content, FAQContent):
        if content.topic not in names.topics:
            yield Finding(key, ("topic",), "is not one of the clinic's `faq_topics`")
        section = content.section
        if section is not None and key._replace(kind=Kind.SECTION, slug=section) not in contents:
            yield Finding(key, ("section",), "no section has this slug")


def _check_texts(key: DocumentKey, content: SectionContent | FAQContent) -> Iterator[Finding]:
    for position, markdown in _texts_of(content):
        for line, reason in _markdown_faults(markdown):
            yield Finding(key, position, reason, line)


def _texts_of(content: SectionContent | FAQContent) -> Iterator[tuple[FilePosition, str]]:
    """The Markdown texts of a document, with their positions."""
    names = ("body", "body_by_state", "answer", "answer_by_state", "answer_by_mode")
    for name in names:
        match getattr(content, name, None):
            case str(text):
                yield (name,), text
            case dict(texts):
                yield from (((name, str(variant)), text) for variant, text in texts.items())


@lru_cache(maxsize=4096)
def _markdown_faults(markdown: str) -> tuple[tuple[int, str], ...]:
    """The line (from 0) and the reason for everything that would not be served as written."""
    faults = []
    line = 0
    for token in _walk(_full_parser.parse(markdown)):
        line = token.map[0] if token.map else line
        if token.type in _NOT_SERVED:
            faults.append((line, f"{_NOT_SERVED[token.type]} is not served"))
    # The plain text of a link with a refused address still contains its Markdown.
    if "](" in render(markdown).text:
        faults.append((0, "a link has an address that is not served"))
    return tuple(faults)


def _walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])
