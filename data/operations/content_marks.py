"""`.revisions.json`: which revision of each document the files of a folder are based on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.documents.files import Fault
from data.documents.recorded import RecordedContent, RecordedDocument
from models.document import DocumentKey

FILE_NAME = ".revisions.json"


class Mark(BaseModel):
    """The state of a document as the folder knows it; `RecordedDocument` describes the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: int
    live: int | None
    withdrawn_on: date | None = None

    @classmethod
    def of(cls, document: RecordedDocument) -> "Mark":
        return cls(
            revision=document.newest or 0,
            live=document.live,
            withdrawn_on=document.withdrawn_on,
        )

    def values(self) -> dict[str, object]:
        without = set() if self.withdrawn_on else {"withdrawn_on"}
        return self.model_dump(mode="json", exclude=without)


class _MarksFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str = Field(alias="from")
    documents: dict[str, Mark]


class MarksFault(Exception):
    """`.revisions.json` cannot be read. The message is one line."""


@dataclass(frozen=True)
class Marks:
    """The marks by the names of documents, `kind/slug/locale`, and the database they are of."""

    source: str | None = None
    documents: Mapping[str, Mark] = field(default_factory=dict)

    def of(self, recorded: RecordedContent) -> "Marks":
        """These marks, if they are of the same database. Those of another one say nothing."""
        return self if self.source == recorded.source else Marks(recorded.source)

    def find(self, key: DocumentKey) -> Mark | None:
        return self.documents.get("/".join(key))

    def text(self) -> str:
        """The text of the file: one line for each document, so that versions are compared."""
        lines = ",\n".join(
            f"    {json.dumps(name)}: {json.dumps(mark.values())}"
            for name, mark in sorted(self.documents.items())
        )
        return f'{{\n  "from": {json.dumps(self.source)},\n  "documents": {{\n{lines}\n  }}\n}}\n'


def read_marks(folder: Path) -> Marks:
    """The marks of a folder, none if it has no such file. Raises `MarksFault`."""
    try:
        text = (folder / FILE_NAME).read_text(encoding="utf-8")
        file = _MarksFile.model_validate_json(text)
    except (FileNotFoundError, NotADirectoryError):
        return Marks()
    except (OSError, UnicodeDecodeError, ValidationError):
        fault = Fault(FILE_NAME, 1, "cannot be read: delete it, and run `content pull`")
        raise MarksFault(str(fault)) from None
    return Marks(file.source, file.documents)


def write_marks(folder: Path, marks: Marks) -> None:
    """Writes the marks, unless the file already says the same. Raises `OSError`."""
    path = folder / FILE_NAME
    if not path.exists() or path.read_text(encoding="utf-8") != marks.text():
        path.write_text(marks.text(), encoding="utf-8", newline="\n")
