"""Reads a folder of content files. Each fault has its file, its line and the reason."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from models.clinic import ClinicContent
from models.document import SINGLE_KINDS, DocumentKey, Kind
from models.document_content import CONTENTS
from models.document_file import FileFacts
from models.status_content import InitialStatus
from models.values import Input

SHIPPED_CONTENT = Path(__file__).resolve().parents[1] / "content"

# The path of names and indexes to a value in a YAML document.
FilePosition = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

# The parser in C is ten times faster. Not every build of PyYAML has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)
_TEXT_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"
FOLDERS = {Kind.SECTION: "sections", Kind.FAQ: "faqs"}
# The field of the content that stands below the front matter.
BODY_FIELDS = {Kind.SECTION: "body", Kind.FAQ: "answer"}
_OPTIONAL = {Kind.SYNONYMS}


@dataclass(frozen=True, order=True)
class Fault:
    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class ContentFaults(Exception):
    """The content files are not valid; `faults` lists all faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True)
class Source:
    """One YAML document, to find the line of each value. `first_line` is its line in the file.

    `body_line` is the first line of the text below the front matter.
    """

    file: str
    root: yaml.Node
    first_line: int = 1
    body_line: int = 1

    def line(self, position: FilePosition) -> int:
        """The line of a value, or of the nearest parent if the value is missing."""
        node = self.root
        for step in position:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return node.start_mark.line + self.first_line

    def fault(self, position: FilePosition, reason: str) -> Fault:
        return Fault(self.file, self.line(position), reason)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    found: yaml.Node | None = None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                found = value if isinstance(value, yaml.CollectionNode) else key
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        found = node.value[step]
    return found


@dataclass(frozen=True)
class ContentFile:
    """A file with one document. `facts` is what the file says besides the content."""

    content: Input
    facts: FileFacts
    source: Source


@dataclass(frozen=True)
class ContentFolder:
    """All content files of one folder; each file is valid. `initial` is for an empty database."""

    files: Mapping[DocumentKey, ContentFile]
    initial: InitialStatus

    @property
    def contents(self) -> dict[DocumentKey, Input]:
        return {key: file.content for key, file in self.files.items()}


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.files: dict[tuple[Kind, str], ContentFile] = {}
        self.initial: InitialStatus | None = None

    def read_all(self) -> None:
        for kind in Kind:
            if kind in SINGLE_KINDS:
                name = f"{kind}.yaml"
                if kind not in _OPTIONAL or (self.folder / name).exists():
                    self._read_yaml(kind, name)
            else:
                for path in sorted((self.folder / FOLDERS[kind]).glob("*.md")):
                    self._read_markdown(kind, f"{FOLDERS[kind]}/{path.name}")

    def _read_yaml(self, kind: Kind, name: str) -> None:
        parsed = self._parse(name, self._text(name))
        if parsed is None:
            return
        value, source = parsed
        if kind is Kind.STATUS:
            initial = value.pop("initial", {})
            self.initial = self._validate(source, InitialStatus, initial, ("initial",))
        self._add(kind, kind, value, source)

    def _read_markdown(self, kind: Kind, name: str) -> None:
        text = self._text(name)
        parts = _FRONT_MATTER.match(text) if text is not None else None
        if text is None or parts is None:
            if text is not None:
                reason = "must begin with front matter between two lines ---"
                self.faults.append(Fault(name, 1, reason))
            return
        leading = len(parts[2]) - len(parts[2].lstrip("\n"))
        body_line = text[: parts.start(2)].count("\n") + 1 + leading
        parsed = self._parse(name, parts[1], first_line=2, body_line=body_line)
        if parsed is None:
            return
        value, source = parsed
        body_field = BODY_FIELDS[kind]
        if body_field in value:
            self.faults.append(
                source.fault((body_field,), f"`{body_field}` stands below the front matter")
            )
        elif parts[2].strip():
            value[body_field] = parts[2]
        self._add(kind, Path(name).stem, value, source)

    def _add(self, kind: Kind, slug: str, value: dict[str, Any], source: Source) -> None:
        given = {name: value.pop(name) for name in FileFacts.model_fields if name in value}
        if kind in SINGLE_KINDS and given:
            value |= given
            given = {}
        content = self._validate(source, CONTENTS[kind], value)
        facts = self._validate(source, FileFacts, {**given, "slug": slug})
        if content is not None and facts is not None:
            self.files[kind, slug] = ContentFile(content, facts, source)

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError:
            self.faults.append(Fault(name, 1, "cannot be read"))
        except UnicodeDecodeError:
            self.faults.append(Fault(name, 1, "is not UTF-8"))
        return None

    def _parse(
        self, name: str, text: str | None, *, first_line: int = 1, body_line: int = 1
    ) -> tuple[dict[str, Any], Source] | None:
        if text is None:
            return None
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                self.faults.append(Fault(name, first_line, "must map names to values"))
                return None
            for key in _repeated_keys(root):
                line = key.start_mark.line + first_line
                self.faults.append(Fault(name, line, f"`{key.value}` is given twice"))
            _read_names_as_text(root)
            value: dict[str, Any] = loader.construct_document(root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = (mark.line if mark else 0) + first_line
            self.faults.append(Fault(name, line, getattr(error, "problem", None) or "is not YAML"))
            return None
        return value, Source(name, root, first_line, body_line)

    def _validate(
        self, source: Source, model: type[M], value: object, position: FilePosition = ()
    ) -> M | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                path = ".".join(str(step) for step in (*position, *fault["loc"]))
                message = fault["msg"].removeprefix("Value error, ")
                reason = f"{path}: {message}" if path else message
                self.faults.append(source.fault((*position, *fault["loc"]), reason))
        return None


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _read_names_as_text(node: yaml.Node) -> None:
    """Makes each name the text that is written. YAML 1.1 reads the name `on` as the value true."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE_TAG:
                key.tag = _TEXT_TAG
            _read_names_as_text(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _read_names_as_text(item)


@dataclass(frozen=True)
class FolderFiles:
    """The valid files of a folder, by kind and slug, and the faults of all others."""

    files: Mapping[tuple[Kind, str], ContentFile]
    initial: InitialStatus | None
    faults: list[Fault]


def read_files(folder: Path) -> FolderFiles:
    """Reads what is valid in a folder, which may lack files."""
    reader = _Reader(folder)
    reader.read_all()
    return FolderFiles(reader.files, reader.initial, sorted(reader.faults))


def read_content(folder: Path) -> ContentFolder:
    """Reads all content files of `folder`. Raises `ContentFaults` if any file is not valid."""
    found = read_files(folder)
    if found.faults or found.initial is None:
        raise ContentFaults(found.faults)
    clinic = found.files[Kind.CLINIC, Kind.CLINIC].content
    assert isinstance(clinic, ClinicContent)
    locale = clinic.locales[0]
    files = {DocumentKey(kind, slug, locale): file for (kind, slug), file in found.files.items()}
    return ContentFolder(files, found.initial)
