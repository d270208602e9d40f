"""Checks the content files against each other, and checks each Markdown text."""

from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from data.documents.files import Content, Fault, FilePosition, Source
from models.markdown import render

# Unlike the parser of `models/markdown.py`, it also recognises what is not served.
_full_parser = MarkdownIt("commonmark", {"html": True})
_NOT_SERVED = {"html_block": "raw HTML", "html_inline": "raw HTML", "image": "an image"}


def check_content(content: Content) -> list[Fault]:
    """All faults between files and inside texts; each file itself is already valid."""
    return sorted([*_check_notices(content), *_check_sections(content), *_check_faqs(content)])


def _check_notices(content: Content) -> Iterator[Fault]:
    source = content.sources["notices.yaml"]
    slugs = [notice.slug for notice in content.notices.notices]
    yield from _repeated(slugs, source, "notices")


def _check_sections(content: Content) -> Iterator[Fault]:
    positions: set[int] = set()
    slugs = {file.section.slug for file in content.sections}
    for file in content.sections:
        section, source = file.section, file.source
        yield from _unknown_notices(content, section.notices, source, ())
        yield from _check_former_slugs(section.former_slugs, slugs, source, ())
        if section.position in positions:
            yield source.fault(("position",), "another section has this position")
        positions.add(section.position)
        for line, reason in _markdown_faults(section.markdown):
            yield Fault(source.file, file.body_line + line, reason)


def _check_faqs(content: Content) -> Iterator[Fault]:
    source = content.sources["faqs.yaml"]
    sections = {file.section.slug for file in content.sections}
    slugs = [faq.slug for faq in content.faqs.faqs]
    yield from _repeated(slugs, source, "faqs")
    for index, faq in enumerate(content.faqs.faqs):
        entry: FilePosition = ("faqs", index)
        yield from _unknown_notices(content, faq.notices, source, entry)
        yield from _check_former_slugs(faq.former_slugs, set(slugs), source, entry)
        if faq.topic not in content.faqs.topics:
            yield source.fault((*entry, "topic"), "is not one of `topics`")
        if faq.section is not None and faq.section not in sections:
            yield source.fault((*entry, "section"), "no section has this slug")
        for key, text in (("answer", faq.answer), *(faq.answers or {}).items()):
            position = (*entry, "answers", str(key)) if faq.answers else (*entry, "answer")
            for line, reason in _markdown_faults(text or ""):
                yield Fault(source.file, source.line(position) + line, reason)


def _repeated(slugs: list[str], source: Source, name: str) -> Iterator[Fault]:
    for index, slug in enumerate(slugs):
        if slug in slugs[:index]:
            yield source.fault((name, index, "slug"), "another entry has this slug")


def _unknown_notices(
    content: Content, used: Iterable[str], source: Source, entry: FilePosition
) -> Iterator[Fault]:
    known = {notice.slug for notice in content.notices.notices}
    for slug in used:
        if slug not in known:
            yield source.fault((*entry, "notices"), f"no notice `{slug}` in notices.yaml")


def _check_former_slugs(
    former: Iterable[str], current: set[str], source: Source, entry: FilePosition
) -> Iterator[Fault]:
    for slug in former:
        if slug in current:
            yield source.fault((*entry, "former_slugs"), f"`{slug}` is in use")


def _markdown_faults(markdown: str) -> Iterator[tuple[int, str]]:
    """The line (from 0) and the reason for everything that would not be served as written."""
    line = 0
    for token in _walk(_full_parser.parse(markdown)):
        line = token.map[0] if token.map else line
        if token.type in _NOT_SERVED:
            yield line, f"{_NOT_SERVED[token.type]} is not served"
    # The plain text of a link with a refused address still contains its Markdown.
    if "](" in render(markdown).text:
        yield 0, "a link has an address that is not served"


def _walk(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])
