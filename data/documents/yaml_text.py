"""Writes values as YAML for people: short lists on one line, long texts as block strings.

The same values always give the same text. `yaml.safe_load` of the text gives the values again.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import Enum

import yaml

WIDTH = 96
# A mapping or list that is longer than this gets one line for each item.
_INLINE = 64
_INDENT = "  "
# Characters that the parser refuses, takes for line breaks, or drops; JSON alone escapes none of
# them.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
# YAML 1.1 has more words for booleans than PyYAML reads.
_SHORT_BOOLEANS = {"y", "Y", "n", "N"}
_resolver = yaml.SafeLoader("")


def yaml_text(values: Mapping[str, object]) -> str:
    """A YAML document of a mapping; each line ends with LF."""
    return "".join(f"{line}\n" for line in _mapping_lines(values, ""))


def _mapping_lines(values: Mapping[str, object], indent: str) -> Iterator[str]:
    for name, value in values.items():
        yield from _item_lines(f"{indent}{_scalar(str(name))}:", value, indent)


def _sequence_lines(values: Sequence[object], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and _inline(value) is None:
            # The first field stands on the line of the hyphen.
            first, *others = _mapping_lines(value, indent + _INDENT)
            yield f"{indent}- {first[len(indent) + len(_INDENT) :]}"
            yield from others
        else:
            yield from _item_lines(f"{indent}-", value, indent)


def _item_lines(head: str, value: object, indent: str) -> Iterator[str]:
    """The lines of `value` behind `head`, which is a name with a colon, or a hyphen."""
    inner = indent + _INDENT
    inline = _inline(value)
    if isinstance(value, str):
        yield from _text_lines(head, value, inner)
    elif inline is not None and (head.endswith("-") or _has_no_prose(value)):
        yield f"{head} {inline}"
    elif isinstance(value, Mapping):
        yield head
        yield from _mapping_lines(value, inner)
    elif isinstance(value, list):
        yield head
        yield from _sequence_lines(value, inner)


def _has_no_prose(value: object) -> bool:
    """Whether it is not a mapping with a text of several words, which reads better in lines.

    So does a mapping with a value to fill in.
    """
    items = value.values() if isinstance(value, Mapping) else ()
    return not any(item is None or (isinstance(item, str) and " " in item) for item in items)


def _text_lines(head: str, text: str, indent: str) -> Iterator[str]:
    is_block = bool(text) and not text[0].isspace() and not _CONTROL.search(text)
    if is_block and "\n" in text and not text.endswith("\n"):
        yield f"{head} |-"
        yield from (f"{indent}{line}" if line else "" for line in text.split("\n"))
    elif is_block and "\n" not in text and len(f"{head} {text}") > WIDTH and text[-1] != " ":
        yield f"{head} >-"
        yield from _folded(text, indent)
    else:
        yield f"{head} {_scalar(text)}"


def _folded(text: str, indent: str) -> Iterator[str]:
    """The lines of one long line. They break only at single spaces, which reading restores."""
    line = ""
    for word in _BETWEEN_WORDS.split(text):
        if line and len(indent) + len(line) + 1 + len(word) > WIDTH:
            yield indent + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield indent + line


def _inline(value: object) -> str | None:
    """The value on one line; `None` for a list or mapping that is too long for that."""
    match value:
        case Mapping() | list() if not value:
            return "{}" if isinstance(value, Mapping) else "[]"
        case Mapping() if all(map(_is_short, value.values())):
            items = (f"{_scalar(str(n), flow=True)}: {_scalar(v, flow=True)}"
                     for n, v in value.items())  # fmt: skip
            text = f"{{{', '.join(items)}}}"
        case list() if all(map(_is_short, value)):
            text = f"[{', '.join(_scalar(item, flow=True) for item in value)}]"
        case Mapping() | list():
            return None
        case _:
            return _scalar(value)
    return text if len(text) <= _INLINE else None


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return "\n" not in value
    return not isinstance(value, Mapping | list)


def _scalar(value: object, *, flow: bool = False) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Enum():
            return _scalar(value.value, flow=flow)
        case str():
            return value if _is_plain(value, flow=flow) else _quoted(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case time():
            return f'"{value.isoformat(timespec="auto" if value.second else "minutes")}"'
        case date():
            return value.isoformat()
        case float():
            return _float(value)
        case _:
            return str(value)


def _float(value: float) -> str:
    # YAML 1.1 has no exponent without a decimal point.
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}.0{e}{exponent}" if e and "." not in mantissa else repr(value)


def _is_plain(text: str, *, flow: bool) -> bool:
    """Whether YAML reads the text as this text without quotes."""
    if not text or not text[0].isalpha() or text[-1] in " :" or text in _SHORT_BOOLEANS:
        return False
    if ": " in text or " #" in text or "\t" in text or "\n" in text or _CONTROL.search(text):
        return False
    if flow and set(text) & set(",[]{}:?"):
        return False
    resolved = _resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # PyYAML has no types
    return bool(resolved == "tag:yaml.org,2002:str")


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda c: f"\\u{ord(c[0]):04x}", json.dumps(text, ensure_ascii=False))
