"""YAML 1.2 core as a tree of nodes that know their place, built from parser events under fixed limits.

ruamel's parser gives events; its composer and constructors are not used: they recurse, unfold aliases and know
YAML 1.1. Sizes and depths are summed as nodes are built, so a bomb is refused before anything walks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs
from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vega_trio.dsl.source import Finding, Report, Source, Span
from vega_trio.dsl.yaml_core import resolve
from vega_trio.dsl.yaml_errors import syntax_finding
from vega_trio.dsl.yaml_nodes import YamlError, YamlList, YamlMap, YamlNode, YamlScalar, data

MAX_FILE = 1024 * 1024
MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_NODES = 100_000
MAX_SCALAR = 256 * 1024


def decode(data: bytes, file: str, order: int = 0) -> Source:
    """Raises: YamlError V001 when it is not UTF-8, V006 when it is too large."""
    empty = Source(file, "", order)
    if len(data) > MAX_FILE:
        message = f"the file has {len(data):,} bytes; {MAX_FILE:,} is the most"
        raise YamlError(Finding("V006", Span(empty, 0, 0), message))
    try:
        return Source(file, _LEADING_BLANKS.sub(_without_spaces, data.decode("utf-8-sig")), order)
    except UnicodeDecodeError as error:
        raise YamlError(
            Finding("V001", Span(empty, 0, 0), f"the file is not UTF-8 at byte {error.start}", "save it as UTF-8")
        ) from None


# The parser takes a block of text whose first lines hold only spaces for badly indented; YAML does not.
_LEADING_BLANKS = re.compile(r"(?m)([|>][-+0-9]{0,2}[ \t]*\r?\n)((?:[ ]+\r?\n)+)")


def _without_spaces(found: re.Match[str]) -> str:
    return found[1] + found[2].replace(" ", "")


def load(source: Source, report: Report) -> YamlNode | None:
    """The one document of a file, None when it is empty. Duplicate keys are reported and dropped.

    Raises: YamlError V002, V005, V006, V007.
    """
    builder = _Builder(source, report)
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise YamlError(syntax_finding(source, error, builder.here)) from None
    except YAMLError as error:
        at = min(getattr(error, "position", 0), len(source.text))
        said = "a control character is not allowed" if hasattr(error, "character") else str(error)
        raise YamlError(Finding("V002", Span(source, at, at + 1), said)) from None
    except (ValueError, OverflowError):
        # An escape such as "\Uffffffff", which names no character, reaches chr() unchecked.
        raise YamlError(Finding("V002", builder.here, "an escape here or below names no character")) from None
    return builder.root


def load_data(text: str) -> object:
    """The value of a text, such as a model's reply. Raises: YamlError."""
    report = Report()
    node = load(Source("", text), report)
    if report.errors:
        raise YamlError(report.errors[0])
    return None if node is None else data(node)


# -- building


@attrs.define
class _Open:
    """A list or mapping whose end has not come yet."""

    is_map: bool
    start: int
    anchor: str | None
    children: list[YamlNode] = attrs.field(factory=list)


@attrs.define
class _Builder:
    """Takes events, keeps a stack of open nodes. Owned by one `load`."""

    source: Source
    report: Report
    stack: list[_Open] = attrs.field(factory=list)
    anchors: dict[str, YamlNode] = attrs.field(factory=dict)
    root: YamlNode | None = None
    here: Span = attrs.field(init=False)
    aliases: int = 0
    documents: int = 0

    def __attrs_post_init__(self) -> None:
        self.here = Span(self.source, 0, 0)

    def take(self, event: ev.Event) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        self.here = Span(self.source, start, end)
        match event:
            case ev.AliasEvent():
                self._add(self._alias(str(event.anchor)), None)
            case ev.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case ev.SequenceStartEvent() | ev.MappingStartEvent():
                self._begin(event)
            case ev.SequenceEndEvent() | ev.MappingEndEvent():
                self._finish(end)
            case ev.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise self._error("V007", "a file holds one document; a second one starts here", "remove the '---'")
            case _:
                pass

    def _error(self, code: str, message: str, hint: str = "") -> YamlError:
        return YamlError(Finding(code, self.here, message, hint))

    def _begin(self, event: ev.CollectionStartEvent) -> None:
        is_map = isinstance(event, ev.MappingStartEvent)
        tag = _tag(event)
        if tag not in (None, "!", "tag:yaml.org,2002:map" if is_map else "tag:yaml.org,2002:seq"):
            raise self._error("V007", f"the tag '{_short(tag)}' is not supported", _NO_TAG)
        if len(self.stack) >= MAX_DEPTH:
            raise self._error("V006", f"nested deeper than {MAX_DEPTH}")
        self.stack.append(_Open(is_map, event.start_mark.index, event.anchor))

    def _finish(self, end: int) -> None:
        opened = self.stack.pop()
        size = 1 + sum(child.size for child in opened.children)
        height = 1 + max((child.height for child in opened.children), default=0)
        if size > MAX_NODES:
            raise self._error("V006", f"more than {MAX_NODES:,} nodes, aliases expanded")
        if len(self.stack) + height > MAX_DEPTH:
            raise self._error("V006", f"nested deeper than {MAX_DEPTH}, aliases expanded")
        span = Span(self.source, opened.start, end)
        if opened.is_map:
            entries = self._entries(opened.children)
            self._add(YamlMap(entries, span, size, height), opened.anchor)
        else:
            self._add(YamlList(tuple(opened.children), span, size, height), opened.anchor)

    def _add(self, node: YamlNode, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node

    def _alias(self, anchor: str) -> YamlNode:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self._error("V006", f"more than {MAX_ALIASES} aliases")
        if any(opened.anchor == anchor for opened in self.stack):
            raise self._error("V007", f"the alias '*{anchor}' contains itself")
        if anchor not in self.anchors:
            message = f"* begins an alias, and no anchor '&{anchor}' stands before it"
            raise self._error("V002", message, "put quotes round a text that begins with *")
        return self.anchors[anchor]

    def _scalar(self, event: ev.ScalarEvent) -> YamlScalar:
        text = str(event.value)
        if len(text) * 4 > MAX_SCALAR and len(text.encode("utf-8", "surrogatepass")) > MAX_SCALAR:
            raise self._error("V006", f"a text longer than {MAX_SCALAR:,} bytes")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise self._error("V002", "an escape names no character")
        style = event.style or ""
        return YamlScalar(self._value(_tag(event), text, style), text, style, self.here)

    def _value(self, tag: str | None, text: str, style: str) -> object:
        if tag is None:
            return text if style else resolve(text)
        if tag in ("!", "tag:yaml.org,2002:str"):
            return text
        name = tag.removeprefix("tag:yaml.org,2002:")
        if tag == name or name not in ("null", "bool", "int", "float"):
            raise self._error("V007", f"the tag '{_short(tag)}' is not supported", _NO_TAG)
        value = resolve(text)
        if name == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not {"null": type(None), "bool": bool, "int": int, "float": float}[name]:
            raise self._error("V002", f"'{text}' is not of the type its tag '{_short(tag)}' says")
        return value

    def _entries(self, children: list[YamlNode]) -> tuple[tuple[YamlScalar, YamlNode], ...]:
        pairs = list(zip(children[::2], children[1::2], strict=True))
        entries: dict[str, tuple[YamlScalar, YamlNode]] = {}
        merges: list[YamlNode] = []
        for key, value in pairs:
            if not isinstance(key, YamlScalar):
                raise YamlError(_odd_key(key.span))
            if not key.style and key.text[:1].isspace():  # YAML knows one space, pages have many
                message = f"this line is indented with a space that is none (U+{ord(key.text[0]):04X})"
                raise YamlError(Finding("V002", key.span, message, "indent with plain spaces"))
            if key.text == "<<" and not key.style:
                merges.append(value)
            elif key.text in entries:
                hint = f"it is on line {entries[key.text][0].span.line} already"
                self.report.add("V003", key.span, f"the key '{key.text}' occurs twice", hint)
            else:
                entries[key.text] = (key, value)
        for merge in merges:
            for name, value in self._merged(merge):
                entries.setdefault(name.text, (name, value))
        return tuple(entries.values())

    def _merged(self, node: YamlNode) -> Iterator[tuple[YamlScalar, YamlNode]]:
        parts: Iterable[YamlNode] = node.items if isinstance(node, YamlList) else (node,)
        for part in parts:
            if not isinstance(part, YamlMap):
                raise YamlError(Finding("V005", part.span, "'<<' takes a mapping, or a list of mappings"))
            yield from part.entries


def _odd_key(span: Span) -> Finding:
    """A key that is a list or mapping: most often a `{{` without quotes."""
    start = span.start - 1
    if span.source.text[start : start + 2] == "{{":
        hint = 'put quotes round the whole text: "{{...}}"'
        return Finding("V005", Span(span.source, start, span.end), "a text that begins with {{ needs quotes", hint)
    return Finding("V005", span, "a key must be a text, not a list or mapping", "put quotes round it")


_NO_TAG = "remove it, or put quotes round a text that begins with !"


def _tag(event: ev.NodeEvent) -> str | None:
    tag = getattr(event, "tag", None)
    return None if tag is None else str(tag)


def _short(tag: str | None) -> str:
    return str(tag).replace("tag:yaml.org,2002:", "!!")
