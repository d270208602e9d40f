"""Writes documents as content files, in the form that `files.py` reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from data.documents.files import BODY_FIELDS, FOLDERS, ContentFile
from data.documents.yaml_text import yaml_text
from models.document import DocumentKey, Kind
from models.document_file import FileFacts
from models.status_content import InitialStatus
from models.values import Input

# In the files of these kinds a field that is not known stands as `null`, so that it can be filled
# in. Elsewhere a field with its default value is left out.
_COMPLETE = {Kind.CLINIC, Kind.STATUS}


@dataclass(frozen=True)
class FileDocument:
    """A document to write. `initial` belongs to the document `status` only."""

    content: Input
    facts: FileFacts
    initial: InitialStatus | None = None

    def is_in(self, file: ContentFile | None, initial: InitialStatus | None) -> bool:
        """Whether a file says exactly this."""
        return (
            file is not None
            and (file.content, file.facts) == (self.content, self.facts)
            and self.initial in (None, initial)
        )


def file_name(key: DocumentKey) -> str:
    """The path of a document's file in the folder, with `/`."""
    return f"{FOLDERS[key.kind]}/{key.slug}.md" if key.kind in FOLDERS else f"{key.kind}.yaml"


def file_text(key: DocumentKey, document: FileDocument, *, comment: str | None = None) -> str:
    """The file of a document. `comment` is one line for its head."""
    values: dict[str, object] = {}
    if document.initial:
        values["initial"] = _fields(document.initial, is_complete=True)
    values |= _fields(document.content, is_complete=key.kind in _COMPLETE)
    if key.kind not in FOLDERS:
        return _comment(comment) + yaml_text(values)
    body = values.pop(BODY_FIELDS[key.kind], None)
    values |= _fields(document.facts, is_complete=False)
    # The name of the file is the slug.
    del values["slug"]
    below = f"{body}\n" if body is not None else ""
    return f"---\n{_comment(comment)}{yaml_text(values)}---\n{below}"


def _comment(comment: str | None) -> str:
    return f"# {comment}\n" if comment else ""


def _fields(model: BaseModel, *, is_complete: bool) -> dict[str, object]:
    """The fields of a model in their order; without `is_complete` only those with a value."""
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        default = field.get_default(call_default_factory=True)
        if is_complete or field.is_required() or value != default:
            found[name] = _plain(value, is_complete=is_complete)
    return found


def _plain(value: object, *, is_complete: bool) -> object:
    match value:
        case BaseModel():
            return _fields(value, is_complete=is_complete)
        case Mapping():
            return {str(name): _plain(v, is_complete=is_complete) for name, v in value.items()}
        case list():
            return [_plain(item, is_complete=False) for item in value]
        case _:
            return value


def write_document(folder: Path, key: DocumentKey, text: str) -> None:
    """Writes a file of the folder, whose folders are made if they are missing. Raises `OSError`."""
    path = folder / file_name(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
