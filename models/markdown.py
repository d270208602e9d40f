"""Renders Markdown as HTML and as plain text with the same content."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

# CommonMark without raw HTML and images.
_parser = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "pre", "strong", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"https", "http", "mailto", "tel"}


class Rendered(NamedTuple):
    html: str
    text: str


@lru_cache(maxsize=1024)
def render(markdown: str) -> Rendered:
    """Sanitised HTML and plain text of a CommonMark text."""
    tokens = _parser.parse(markdown)
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )
    return Rendered(clean.strip(), _plain_text(tokens))


def _plain_text(tokens: Sequence[Token]) -> str:
    blocks: list[str] = []
    bullet = ""
    for token in tokens:
        if token.type == "list_item_open":
            bullet = f"{token.info}. " if token.info else "- "
        elif token.type == "inline":
            blocks.append(bullet + "".join(_words(child) for child in token.children or []))
            bullet = ""
        elif token.type in ("fence", "code_block"):
            blocks.append(bullet + token.content.rstrip("\n"))
            bullet = ""
    return "\n\n".join(blocks)


def _words(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n" if token.type == "hardbreak" else " "
    return token.content
