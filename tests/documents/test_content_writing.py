"""A document that is written as a file is read again as the same document."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.documents.files import read_files
from data.documents.writing import FileDocument, file_name, file_text, write_document
from models.document import DocumentKey, Kind
from models.document_content import CONTENTS
from models.document_file import FileFacts
from models.faq import FAQContent
from models.section import SectionContent
from tests.support.clinic import CLINIC, clinic_content
from tests.support.repetitions import repetitions

LOCALE = "en-US"
SECTION = DocumentKey(Kind.SECTION, "a-text", LOCALE)
# Texts that YAML or a Markdown file could take for something else.
TRICKY = [
    *("yes", "no", "null", "~", "1.0", "1e5", "0x1f", "2026-01-01", "12:30", "y", "=", "<<"),
    *("# no comment", "a # b", "a: b", "a:", "- a", "[a]", "{a}", "a, b", "&a", "*a", "!a", "|"),
    *("'", '"', '"a" b', "it's", "\\n", "a\\", " a", "a ", "  a  b  ", "%a", "@a", "`a`"),
    *("😀", "a 👩‍⚕️", "שלום", "שלום: עולם", "مرحبا", "é", "e\u0301", "\u00a0a"),
    *("a\u3000b", "\ufeffa", "?", "a?"),
    *("---", "a\n---\nb", "---\na", "...", "a\n...\nb", "a\tb", "\ta", "a\n\tb\n", "a\n\n\nb"),
    *("a  \nb", "a\n  b\n c", "a\n", "a\n\n", "\na", "a\r\nb", "a\n   \nb", "# A\n\n- b: c\n"),
    *("word " * 60, "a  " * 60 + "b", "x" * 300, "א " * 100, "word: # " * 30, "a\n" + "b " * 80),
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(max_size=40),
    st.lists(st.sampled_from(TRICKY), max_size=5).map(" ".join),
    st.lists(st.sampled_from(TRICKY), max_size=5).map("\n".join),
)


def written(key: DocumentKey, document: FileDocument) -> FileDocument:
    """Writes a document into an empty folder, and reads it again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_document(folder, key, file_text(key, document))
        files = read_files(folder)
    faults = [fault for fault in files.faults if fault.file == file_name(key)]
    assert not faults
    file = files.files[key.kind, key.slug]
    return FileDocument(file.content, file.facts, files.initial)


def with_other_texts(value: Any, texts: Iterator[str]) -> Any:
    """A copy of a content with other texts, where it has texts of several words."""
    if isinstance(value, dict):
        return {name: with_other_texts(item, texts) for name, item in value.items()}
    if isinstance(value, list):
        return [with_other_texts(item, texts) for item in value]
    return next(texts) if isinstance(value, str) and " " in value else value


@pytest.mark.parametrize("most", repetitions(50, soak=5000))
def test_what_is_written_is_read(most: int) -> None:
    """The documents of a clinic are read as they were written, whatever their texts are."""
    originals = list(clinic_content().files.items())
    accepted = 0

    @settings(max_examples=most, deadline=None)
    @given(st.sampled_from(originals), st.data())
    def check(original: Any, data: st.DataObject) -> None:
        nonlocal accepted
        key, file = original
        texts = iter(lambda: data.draw(TEXTS), None)
        values = with_other_texts(file.content.model_dump(mode="json"), texts)
        try:
            content = CONTENTS[key.kind].model_validate(values)
        except ValidationError:
            return
        accepted += 1
        initial = clinic_content().initial if key.kind is Kind.STATUS else None
        document = FileDocument(content, file.facts, initial)
        assert written(key, document) == document

    check()
    assert accepted > most / 10


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
@example("yes", "# no comment", "---\na")
def test_texts_of_a_section_are_read_as_they_were_written(one: str, two: str, three: str) -> None:
    """Each text that a section may contain is the same after it was written and read."""
    states = {"open": two, "temporarily_closed": three, "permanently_closed": one}
    for body in ({"body": three}, {"body_by_state": states}):
        values = {"title": one, "summary": two, "position": 1, **body, "updated_on": "2026-01-01"}
        try:
            content = SectionContent.model_validate({**values, "references": [{"label": two}]})
        except ValidationError:
            continue
        facts = FileFacts.model_validate(
            {
                "slug": SECTION.slug,
                "former_slugs": ["an-older-text"],
                "withdrawn_on": "2026-02-03",
                "review": {"last_reviewed_on": "2026-01-02", "next_review_due_on": None},
            }
        )
        assert written(SECTION, FileDocument(content, facts)) == FileDocument(content, facts)


@pytest.mark.parametrize("body", [text for text in TRICKY if text.strip() and text[0] != "\r"])
def test_each_tricky_text_may_be_an_answer(body: str) -> None:
    """No text of an answer is taken for a part of the front matter or for YAML."""
    key = DocumentKey(Kind.FAQ, "a-question", LOCALE)
    modes = {"open": body, "waitlist": body, "paused": body, "closed": body}
    for answer in ({"answer": body}, {"answer_by_mode": modes}):
        content = FAQContent.model_validate(
            {"question": "Why?", "position": 1, "topic": "visits", **answer}
        )
        document = FileDocument(content, FileFacts(slug=key.slug))
        assert written(key, document) == document


def test_how_a_file_reads() -> None:
    """A file has the model's order of fields, plain days, quoted times and block strings."""
    folder = clinic_content()
    texts = {
        file_name(key): file_text(key, FileDocument(file.content, file.facts))
        for key, file in folder.files.items()
    }
    assert '  - {day: monday, opens: "09:00", closes: "12:30"}\n' in texts["clinic.yaml"]
    assert "privacy_policy_url: null\n" in texts["clinic.yaml"]
    assert texts["faqs/may-it-hurt.md"] == (
        "---\n"
        "question: May an exercise hurt?\n"
        "position: 4\n"
        "topic: training\n"
        "section: exercises\n"
        "notices: [stop-if-it-hurts, healing-times-differ]\n"
        "---\n"
        "No. A stretch can be felt, but it must not hurt. Read [the exercises](/sections/exercises)"
        " again, and do fewer of them.\n"
    )
    assert (
        "review: {last_reviewed_on: 2020-01-15, next_review_due_on: 2021-01-15}\n"
        in (texts["sections/exercises.md"])
    )
    content = SectionContent.model_validate(
        {
            "title": "A title",
            "summary": "A sentence about the text, " * 4 + "and its end.",
            "position": 1,
            "shown_in": ["open"],
            "body_by_state": {"open": "One line.  \nAnother\tline.\n\n    # code\n"},
        }
    )
    assert file_text(SECTION, FileDocument(content, FileFacts(slug="a-text")), comment="Note.") == (
        "---\n"
        "# Note.\n"
        "title: A title\n"
        "summary: >-\n"
        "  A sentence about the text, A sentence about the text, A sentence about the text, "
        "A sentence\n"
        "  about the text, and its end.\n"
        "position: 1\n"
        "body_by_state:\n"
        "  open: |-\n"
        "    One line.  \n"
        "    Another\tline.\n"
        "\n"
        "        # code\n"
        "shown_in: [open]\n"
        "---\n"
    )


def test_the_content_of_the_tests_is_written_and_read(tmp_path: Path) -> None:
    """A whole folder is the same after it was written: each document, its facts, the state."""
    folder = clinic_content()
    for key, file in folder.files.items():
        initial = folder.initial if key.kind is Kind.STATUS else None
        text = file_text(key, FileDocument(file.content, file.facts, initial))
        write_document(tmp_path, key, text)
    copy = read_files(tmp_path)
    assert (copy.faults, copy.initial) == ([], folder.initial)
    assert {name: (file.content, file.facts) for name, file in copy.files.items()} == {
        (key.kind, key.slug): (file.content, file.facts) for key, file in folder.files.items()
    }
    assert len(list(CLINIC.rglob("*.*"))) == len(list(tmp_path.rglob("*.*")))
