"""Reads the content files. Each fault is reported with its file, its line and the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from models.clinic import ClinicCreate
from models.consultation_form import FormContent
from models.faq import FAQsCreate
from models.notice import NoticesCreate
from models.section import SectionCreate
from models.status_content import StatusContentCreate

SHIPPED_CONTENT = Path(__file__).resolve().parents[1] / "content"

# The path of names and indexes to a value in a YAML document.
FilePosition = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)


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
    """One YAML document, to find the line of each value. `first_line` is its line in the file."""

    file: str
    root: yaml.Node
    first_line: int = 1

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
class SectionFile:
    section: SectionCreate
    source: Source
    body_line: int


@dataclass
class Content:
    """All content files of one folder; each file is valid."""

    clinic: ClinicCreate
    status: StatusContentCreate
    form: FormContent
    notices: NoticesCreate
    faqs: FAQsCreate
    sections: list[SectionFile]
    sources: dict[str, Source] = field(default_factory=dict)


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.sources: dict[str, Source] = {}

    def read(self, name: str, model: type[M]) -> M | None:
        text = self._text(name)
        if text is None:
            return None
        value = self._yaml(name, text)
        return None if value is None else self._validate(name, model, value)

    def read_section(self, name: str) -> SectionFile | None:
        text = self._text(name)
        if text is None:
            return None
        parts = _FRONT_MATTER.match(text)
        if parts is None:
            self.faults.append(Fault(name, 1, "must begin with front matter between two lines ---"))
            return None
        value = self._yaml(name, parts[1], first_line=2)
        if value is None:
            return None
        value |= {"slug": Path(name).stem, "markdown": parts[2].strip()}
        section = self._validate(name, SectionCreate, value)
        leading = len(parts[2]) - len(parts[2].lstrip("\n"))
        body_line = text[: parts.start(2)].count("\n") + 1 + leading
        if section is None:
            return None
        return SectionFile(section, self.sources[name], body_line)

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError:
            self.faults.append(Fault(name, 1, "cannot be read"))
        except UnicodeDecodeError:
            self.faults.append(Fault(name, 1, "is not UTF-8"))
        return None

    def _yaml(self, name: str, text: str, *, first_line: int = 1) -> dict[str, Any] | None:
        try:
            loader = yaml.SafeLoader(text)
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                self.faults.append(Fault(name, first_line, "must map names to values"))
                return None
            for key in _repeated_keys(root):
                line = key.start_mark.line + first_line
                self.faults.append(Fault(name, line, f"`{key.value}` is given twice"))
            value: dict[str, Any] = loader.construct_document(root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = (mark.line if mark else 0) + first_line
            self.faults.append(Fault(name, line, getattr(error, "problem", None) or "is not YAML"))
            return None
        self.sources[name] = Source(name, root, first_line)
        return value

    def _validate(self, name: str, model: type[M], value: dict[str, Any]) -> M | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            source = self.sources[name]
            for fault in error.errors(include_url=False, include_input=False):
                path = ".".join(str(step) for step in fault["loc"])
                message = fault["msg"].removeprefix("Value error, ")
                reason = f"{path}: {message}" if path else message
                self.faults.append(source.fault(fault["loc"], reason))
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


def read_content(folder: Path) -> Content:
    """Reads all content files of `folder`. Raises `ContentFaults` if any file is not valid."""
    reader = _Reader(folder)
    clinic = reader.read("clinic.yaml", ClinicCreate)
    status = reader.read("status.yaml", StatusContentCreate)
    form = reader.read("form.yaml", FormContent)
    notices = reader.read("notices.yaml", NoticesCreate)
    faqs = reader.read("faqs.yaml", FAQsCreate)
    names = sorted(f"sections/{path.name}" for path in (folder / "sections").glob("*.md"))
    sections = [section for name in names if (section := reader.read_section(name))]
    if reader.faults or not (clinic and status and form and notices and faqs):
        raise ContentFaults(sorted(reader.faults))
    return Content(clinic, status, form, notices, faqs, sections, reader.sources)
