"""`content new`: writes the content files of a new clinic."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from data.documents.writing import FileDocument, file_text, write_document
from models.document import SINGLE_KINDS, DocumentKey, Kind
from models.document_content import CONTENTS
from models.document_file import FileFacts
from models.languages import ENGLISH, SERVICE_LANGUAGES, language_of
from models.status_content import InitialStatus
from models.values import ClinicState

_TEMPLATES = Path(__file__).resolve().parents[1] / "new_content"
# A repository that was just made has this folder.
_IGNORED = {".git"}


class FolderInUse(Exception):
    """The folder has files. The message is one line."""


def write_new_content(folder: Path, *, facts: Mapping[str, object]) -> None:
    """Writes the files of a clinic that begins as open.

    `facts` are fields of `ClinicContent`. The words are in the language of the first locale, or in
    English. Raises `FolderInUse`, `ValidationError` for a wrong fact, and `OSError`. Nothing was
    written before the first two.
    """
    if folder.exists() and {entry.name for entry in folder.iterdir()} - _IGNORED:
        raise FolderInUse(f"{folder} has files: name a folder without any")
    texts = list(_new_texts(facts))
    for key, text in texts:
        write_document(folder, key, text)


def _new_texts(facts: Mapping[str, object]) -> Iterator[tuple[DocumentKey, str]]:
    template = _read_template(facts)
    contents = {
        Kind.CLINIC: {**facts, "faq_topics": template["faq_topics"]},
        **{kind: template[kind] for kind in Kind if kind in template},
    }
    for kind, values in contents.items():
        slug = kind if kind in SINGLE_KINDS else values.pop("slug")
        content = CONTENTS[kind].model_validate(values)
        initial = InitialStatus(state=ClinicState.OPEN) if kind is Kind.STATUS else None
        document = FileDocument(content, FileFacts(slug=slug), initial)
        key = DocumentKey(kind, slug, "")
        yield key, file_text(key, document, comment=template["comments"][kind])


def _read_template(facts: Mapping[str, object]) -> dict[str, Any]:
    locales = facts.get("locales")
    first = str(locales[0]) if isinstance(locales, list) and locales else ENGLISH
    language = language_of(first)
    name = language if language in SERVICE_LANGUAGES else ENGLISH
    text = (_TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
    return cast(dict[str, Any], yaml.safe_load(text))
