"""The files of a document: the one named, or a directory's, and what they include, under the limits."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

import attrs

from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.source import Finding, Report, Source, Span
from vega_trio.dsl.yaml_nodes import YamlError, YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.dsl.yaml_text import decode, load
from vega_trio.protocols import Files
from vega_trio.suggest import closest, remedy

SUFFIX = ".vega.yaml"
MAX_TOTAL = 4 * 1024 * 1024
_LISTABLE = "it must be a directory that you may read"


@attrs.define
class Project:
    """Loads the files of one document. `root` is the directory that includes are relative to, and stay in.

    `failed` becomes true when a file could not be read or is no YAML: there is nothing to check then.
    """

    files: Files
    report: Report
    root: str
    total: int = 0
    order: int = 0
    first: Source | None = None
    failed: bool = False

    def load(self, path: str, asked: Span | None = None) -> YamlNode | None:
        """A file's tree, None when it is empty or was reported. `asked` is where the file is named."""
        try:
            data = self.files.read(path)
        except OSError as error:
            self._unreadable(path, error, asked)
            return None
        return self.load_text(data, path)

    def load_text(self, data: bytes, path: str) -> YamlNode | None:
        self.total += len(data)
        self.order += 1
        try:
            source = decode(data, path, self.order)
            self.first = self.first or source
            if self.total > MAX_TOTAL:
                message = f"the files of the document have more than {MAX_TOTAL:,} bytes"
                raise YamlError(Finding("V006", Span(source, 0, 0), message))
            return load(source, self.report)
        except YamlError as error:
            self.report.errors.append(error.finding)
            self.failed = True
            return None

    def _unreadable(self, path: str, error: OSError, asked: Span | None) -> None:
        self.failed = True
        span = asked or Span(Source(path, ""), 0, 0)
        reason = error.strerror or str(error)
        self.report.add("V008" if asked else "V001", span, f"cannot read '{path}': {reason}", self._remedy(path, error))

    def _remedy(self, path: str, error: OSError) -> str:
        """The file that was meant, else the documents there are."""
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            return "it must be a file that you may read"
        directory = posixpath.dirname(path) or "."
        if not self.files.is_dir(directory):
            return f"check the path: there is no directory '{directory}'"
        try:
            names = self.files.list(directory)
        except OSError:
            return f"check the path, and that you may list '{directory}'"
        near = closest(posixpath.basename(path), names)
        if near is not None:
            return f"did you mean '{posixpath.join(posixpath.dirname(path), near)}'?"
        documents = [posixpath.join(posixpath.dirname(path), each) for each in names if each.endswith(SUFFIX)]
        return remedy(path, documents, "check the path; the documents there are") or "check the path"

    # -- directories

    def documents(self, directory: str) -> list[YamlNode]:
        """The trees of a directory's `*.vega.yaml`."""
        names = [name for name in self._list(directory) if name.endswith(SUFFIX)]
        if not names:
            span = Span(Source(directory, ""), 0, 0)
            hint = f"name a {SUFFIX} file, or a directory that holds some"
            self.report.add("V001", span, f"there is no *{SUFFIX} in '{directory}'", hint)
        loaded = (self.load(posixpath.join(directory, name)) for name in names)
        return [node for node in loaded if node is not None]

    def tools(self, directory: str) -> list[YamlNode]:
        """The trees of a directory's `tools/*.yaml`."""
        inner = posixpath.join(directory, "tools")
        names = [name for name in self._list(inner) if name.endswith(".yaml")] if self.files.is_dir(inner) else []
        loaded = (self.load(posixpath.join(inner, name)) for name in names)
        return [as_section(node) for node in loaded if node is not None]

    def _list(self, directory: str) -> list[str]:
        try:
            return self.files.list(directory)
        except OSError as error:
            span = Span(Source(directory, ""), 0, 0)
            self.report.add("V001", span, f"cannot list '{directory}': {error.strerror or error}", _LISTABLE)
            return []

    # -- includes

    def included(self, reading: Reading, node: YamlNode) -> list[YamlNode]:
        """The trees of the files that an `include` names: files, directories, globs. Reports V005, V008."""
        found: list[YamlNode] = []
        for item in node.items if isinstance(node, YamlList) else (node,):
            if not isinstance(item, YamlScalar) or not isinstance(item.value, str):
                reading.error("V005", item, f"a path is needed here, not {shape(item)}", path="tools.include")
                continue
            paths = self._paths(reading, item)
            for path in paths:
                tree = self.load(path, item.span)
                if tree is not None:
                    found.append(as_section(tree))
        return found

    def _paths(self, reading: Reading, item: YamlScalar) -> list[str]:
        pattern = posixpath.normpath(item.text or ".")
        if posixpath.isabs(pattern) or pattern.split("/", 1)[0] == "..":
            hint = "include files of the document's own directory"
            reading.error("V008", item, f"'{item.text}' lies outside the project", hint, "tools.include")
            return []
        if not any(mark in pattern for mark in "*?["):
            path = posixpath.join(self.root, pattern)
            return [posixpath.join(path, each) for each in self._yaml_in(path)] if self.files.is_dir(path) else [path]
        paths = sorted(self._matches(self.root, pattern.split("/")))
        if not paths:
            reading.error("V008", item, f"no file matches '{item.text}'", path="tools.include")
        return paths

    def _yaml_in(self, directory: str) -> list[str]:
        return [name for name in self._list(directory) if name.endswith((".yaml", ".yml"))]

    def _matches(self, directory: str, segments: list[str]) -> Iterator[str]:
        for name in self._list(directory):
            path = posixpath.join(directory, name)
            if name.startswith(".") or not fnmatchcase(name, segments[0]):
                continue
            if len(segments) > 1 and self.files.is_dir(path):
                yield from self._matches(path, segments[1:])
            elif len(segments) == 1 and self.files.is_file(path):
                yield path


def as_section(node: YamlNode) -> YamlNode:
    """A file of one definition as a list of it."""
    if isinstance(node, YamlMap) and (node.get("implementation") is not None or node.get("run") is not None):
        return YamlList((node,), node.span)
    return node
