"""Reads a docstring: what a function does, and what each of its parameters means."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping

import attrs

_GOOGLE_SECTION = re.compile(r"(Args|Arguments|Parameters|Params):\s*$")
_OTHER_SECTION = re.compile(
    r"(Returns?|Raises|Yields?|Examples?|Notes?|Warnings?|See Also|Attributes|Keyword Args|Keyword Arguments):\s*$"
)
_GOOGLE_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY_ENTRY = re.compile(r"\*{0,2}(\w+)(?:\s*,\s*\w+)*\s*(?::.*)?$")
_FIELD = re.compile(r":(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$")
_ANY_FIELD = re.compile(r":\w+[^:]*:")


@attrs.frozen
class Docstring:
    """`summary` is the first paragraph on one line; `parameters` maps names to their descriptions, on one line each."""

    summary: str = ""
    parameters: Mapping[str, str] = attrs.field(factory=dict)


def parse_docstring(text: str | None) -> Docstring:
    """Understands Google `Args:`, numpy `Parameters` with an underline, and Sphinx `:param name:`.

    What it does not understand it leaves out; a docstring is never an error.
    """
    if not text or not text.strip():
        return Docstring()
    lines = inspect.cleandoc(text).splitlines()
    parameters = {**_numpy(lines), **_google(lines), **_sphinx(lines)}
    return Docstring(_summary(lines), parameters)


def _summary(lines: list[str]) -> str:
    words: list[str] = []
    for index, line in enumerate(lines):
        if not line.strip():
            if words:
                break
            continue
        if _starts_section(lines, index):
            break
        words.append(line.strip())
    return " ".join(words)


def _starts_section(lines: list[str], index: int) -> bool:
    line = lines[index].strip()
    underlined = index + 1 < len(lines) and bool(re.fullmatch(r"\s*-{3,}\s*", lines[index + 1]))
    google = bool(_GOOGLE_SECTION.match(line)) or bool(_OTHER_SECTION.match(line))
    return underlined or google or bool(_ANY_FIELD.match(line))


def _google(lines: list[str]) -> dict[str, str]:
    for index, line in enumerate(lines):
        if _GOOGLE_SECTION.match(line.strip()):
            return _entries(_indented(lines[index + 1 :], _indent(line)), _GOOGLE_ENTRY)
    return {}


def _numpy(lines: list[str]) -> dict[str, str]:
    for index, line in enumerate(lines[:-1]):
        if line.strip() in ("Parameters", "Args", "Arguments") and re.fullmatch(r"\s*-{3,}\s*", lines[index + 1]):
            return _entries(_until_underline(lines[index + 2 :]), _NUMPY_ENTRY)
    return {}


def _sphinx(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        if entry := _FIELD.match(line.strip()):
            current = found.setdefault(entry[1], [])
            current.append(entry[2])
        elif not line.strip() or _ANY_FIELD.match(line.strip()):
            current = None
        elif current is not None:
            current.append(line.strip())
    return _joined(found)


def _indented(lines: Iterable[str], outer: int) -> list[str]:
    """The lines that belong to a section whose heading is indented by `outer` columns."""
    body: list[str] = []
    for line in lines:
        if line.strip() and _indent(line) <= outer:
            break
        body.append(line)
    return body


def _until_underline(lines: list[str]) -> list[str]:
    for index in range(1, len(lines)):
        if re.fullmatch(r"\s*-{3,}\s*", lines[index]):
            return lines[: index - 1]
    return lines


def _entries(lines: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Entries stand at the smallest indent, their continuations deeper."""
    filled = [line for line in lines if line.strip()]
    outer = min(map(_indent, filled), default=0)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in filled:
        entry = pattern.match(line.strip()) if _indent(line) == outer else None
        if entry:
            current = found.setdefault(entry[1], [])
            current.append(entry[2] if pattern.groups > 1 else "")
        elif current is not None:
            current.append(line.strip())
    return _joined(found)


def _joined(found: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: text for name, words in found.items() if (text := " ".join(filter(None, words)))}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
