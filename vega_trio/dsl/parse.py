"""From a `.vega.yaml` to a checked `Document`: loads the files, substitutes the environment, reads, validates."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

import attrs

from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.definitions import Named, definitions
from vega_trio.dsl.document import Document, Settings
from vega_trio.dsl.envvars import substitute
from vega_trio.dsl.project import Project
from vega_trio.dsl.read_agents import AgentSection, read_agents
from vega_trio.dsl.read_settings import read_settings
from vega_trio.dsl.read_tools import read_tool
from vega_trio.dsl.read_workflows import read_workflows
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.source import MAX_ERRORS, Finding, Report, Source, Span, in_file_order
from vega_trio.dsl.tool import ToolDefinition
from vega_trio.dsl.tool_texts import ToolSetting
from vega_trio.dsl.validate import Whole, validate
from vega_trio.dsl.words import VALUE_PREFIX
from vega_trio.dsl.yaml_nodes import YamlMap, YamlNode, YamlScalar, scalars
from vega_trio.errors import DocumentError
from vega_trio.protocols import Files
from vega_trio.suggest import remedy

_SECTIONS = ("agents", "workflows", "tools")
_KEYS = ("name", "description", *_SECTIONS, "settings")
_SWITCHED_OFF = ("tools", "settings.mcp")  # what lacks a variable there is disabled, and the rest goes on
_BARE_IN = ("env", "headers")  # of MCP servers, where people write $NAME
_IGNORED = ("channels", "company")


@attrs.frozen
class Parsed:
    """A document without errors. `missing_env` are the V009 of variables that an agent, workflow or setting
    needs: only `validate` may go on with them, everything else raises them as a DocumentError.
    """

    document: Document
    warnings: tuple[Diagnostic, ...] = ()
    missing_env: tuple[Diagnostic, ...] = ()


def parse_document(
    path: str,
    files: Files,
    *,
    env: Mapping[str, str],
    tools: Iterable[str] = (),
    providers: Iterable[str] = (),
    registry: Iterable[str] = (),
    isolated: bool = True,
) -> Parsed:
    """The document of a file, or of a directory's `*.vega.yaml`.

    `env` is for `${NAME}` and `VEGA_MODEL`; `tools` are the names of tools that the application has besides, and
    `providers` those of the providers of models that it knows, `registry` those of the MCP servers: with none, any may
    be named. `isolated`: commands of tools can be kept from the rest of the machine here.

    Raises: DocumentError with the first 50 errors, in file order.
    """
    report = Report()
    is_directory = files.is_dir(path)
    project = Project(files, report, path if is_directory else posixpath.dirname(path))
    if is_directory:
        roots, more = project.documents(path), project.tools(path)
    else:
        node = project.load(path)
        roots, more = [] if node is None else [node], []
    known = frozenset(tools), frozenset(providers), frozenset(registry)
    parsing = _Parsing(project, report, env, *known, path, isolated)
    return parsing.run(roots, more)


def parse_text(
    text: bytes,
    name: str,
    files: Files,
    *,
    env: Mapping[str, str],
    tools: Iterable[str] = (),
    providers: Iterable[str] = (),
    registry: Iterable[str] = (),
    isolated: bool = True,
) -> Parsed:
    """As `parse_document`, of a text that is called `name` in messages. Raises: DocumentError."""
    report = Report()
    project = Project(files, report, posixpath.dirname(name))
    node = project.load_text(text, name)
    roots = [] if node is None else [node]
    known = frozenset(tools), frozenset(providers), frozenset(registry)
    parsing = _Parsing(project, report, env, *known, name, isolated)
    return parsing.run(roots, [])


@attrs.define
class _Parsing:
    """One parse, from loaded trees to the document."""

    project: Project
    report: Report
    env: Mapping[str, str]
    tools: frozenset[str]
    providers: frozenset[str]
    registry: frozenset[str]
    file: str
    isolated: bool = True
    missing: list[Finding] = attrs.field(factory=list)

    def run(self, roots: list[YamlNode], more_tools: list[YamlNode]) -> Parsed:
        if self.project.failed:
            self._stop_on_errors()
        reading = Reading(self.report, self.env, self.providers, self.registry)
        sections, head = self._sections(reading, roots)
        sections["tools"].extend(self._substituted(node, "tools") for node in more_tools)
        document = self._read(reading, sections, head)
        self._stop_on_errors()
        return Parsed(document, in_file_order(self.report.warnings), in_file_order(self.missing, MAX_ERRORS))

    def _stop_on_errors(self) -> None:
        if self.report.errors:
            raise DocumentError(in_file_order(self.report.errors, MAX_ERRORS))

    # -- sections

    def _sections(
        self, reading: Reading, roots: list[YamlNode]
    ) -> tuple[dict[str, list[YamlNode]], dict[str, YamlNode]]:
        """The sections of all files, and the first value of each other key."""
        sections: dict[str, list[YamlNode]] = {name: [] for name in _SECTIONS}
        head: dict[str, YamlNode] = {}
        settings: dict[str, tuple[YamlScalar, YamlNode]] = {}
        for root in roots:
            if not isinstance(root, YamlMap):
                hint = "write for example: agents: ..."
                reading.error("V005", root, f"a document must be a mapping, not {shape(root)}", hint)
                continue
            for key, value in root.entries:
                if key.text in _SECTIONS:
                    sections[key.text].append(self._substituted(value, key.text))
                elif key.text == "settings":
                    self._settings(reading, value, settings)
                elif key.text in _KEYS:
                    head.setdefault(key.text, self._substituted(value, key.text))
                else:
                    self._other(reading, key)
        if settings:
            first = next(iter(settings.values()))[0]
            head["settings"] = YamlMap(tuple(settings.values()), first.span)
        return sections, head

    def _settings(self, reading: Reading, node: YamlNode, found: dict[str, tuple[YamlScalar, YamlNode]]) -> None:
        if isinstance(node, YamlScalar) and node.value is None:
            return
        if not isinstance(node, YamlMap):
            reading.error("V005", node, f"'settings' must be a mapping, not {shape(node)}", path="settings")
            return
        for key, value in node.entries:
            if key.text in found:
                hint = f"it is there already: {found[key.text][0].span.place}"
                reading.error("V003", key, f"the setting '{key.text}' is set twice", hint, f"settings.{key.text}")
            else:
                found[key.text] = (key, self._substituted(value, f"settings.{key.text}"))

    def _other(self, reading: Reading, key: YamlScalar) -> None:
        if key.text in _IGNORED:
            reading.error("W113", key, f"'{key.text}' is ignored", "remove it", key.text)
        elif not key.text.startswith("x-"):
            hint = remedy(key.text, _KEYS, "the keys are")
            reading.error("V004", key, f"unknown key '{key.text}'", hint, key.text)

    def _substituted(self, node: YamlNode, section: str) -> YamlNode:
        found = substitute(node, self.env, _BARE_IN if section == "settings.mcp" else ())
        for each in scalars(found):
            if each.unset:
                hint = f"set it, or give a default: ${{{each.unset}:-...}}"
                message = f"the environment variable '{each.unset}' is not set"
                self.report.add("W109", each.span, message, hint, section)
                if section not in _SWITCHED_OFF:
                    self.missing.append(Finding("V009", each.span, message, hint, section))
        return found

    # -- reading

    def _read(self, reading: Reading, sections: dict[str, list[YamlNode]], head: dict[str, YamlNode]) -> Document:
        settings_node = head.get("settings")
        settings = read_settings(reading, settings_node if isinstance(settings_node, YamlMap) else None)
        tools, named_tools = self._tools(reading, sections["tools"], settings)
        has_model = bool(settings.default_model or self.env.get("VEGA_MODEL")) or _is_unset(settings_node)
        agents = read_agents(reading, sections["agents"], has_model=has_model)
        if not agents.named:
            self._no_agents(sections["agents"])
        document = Document(
            file=self.file,
            name=_text(reading, head, "name"),
            description=_text(reading, head, "description"),
            agents=agents.agents,
            workflows=read_workflows(reading, sections["workflows"], agents),
            tools=tools,
            settings=settings,
        )
        return validate(reading, document, self._whole(agents, named_tools))

    def _whole(self, agents: AgentSection, tools: Mapping[str, Named]) -> Whole:
        return Whole(
            agents=agents,
            tools=frozenset(tools) | self.tools,
            files=self.project.files,
            root=self.project.root,
        )

    def _tools(
        self, reading: Reading, nodes: list[YamlNode], settings: Settings
    ) -> tuple[dict[str, ToolDefinition], dict[str, Named]]:
        """The tools, and every name that was meant to be one."""
        sections: list[YamlNode] = []
        for node in nodes:
            include = node.get("include") if isinstance(node, YamlMap) else None
            if isinstance(node, YamlMap) and include is not None and not isinstance(include, YamlMap):
                node = attrs.evolve(node, entries=tuple(each for each in node.entries if each[0].text != "include"))
                sections.extend(self._substituted(each, "tools") for each in self.project.included(reading, include))
            sections.append(node)
        values = frozenset(settings.values) | _values_in(self.env)
        exposed = not self.isolated and settings.commands_sandbox != "none"
        setting = ToolSetting(values, self.tools, exposed)
        named = {each.name: each for each in definitions(reading, sections, "tools", "tool")}
        found = {name: read_tool(reading, each, setting) for name, each in named.items()}
        return {name: tool for name, tool in found.items() if tool is not None}, named

    def _no_agents(self, nodes: list[YamlNode]) -> None:
        if self.report.errors:
            return
        span = nodes[0].span if nodes else Span(self.project.first or Source(self.file, ""), 0, 0)
        hint = "write for example: agents: {helper: {system: You are helpful.}}"
        self.report.add("V010", span, "the document has no agents", hint, "agents")


def _values_in(env: Mapping[str, str]) -> frozenset[str]:
    """The tool values that `VEGA_VALUE_X` gives."""
    return frozenset(name.removeprefix(VALUE_PREFIX).lower() for name in env if name.startswith(VALUE_PREFIX))


def _is_unset(settings: YamlNode | None) -> bool:
    """Whether there is a default model whose variable is not set: that is reported, and not its absence."""
    node = settings.get("default_model") if isinstance(settings, YamlMap) else None
    return isinstance(node, YamlScalar) and bool(node.unset)


def _text(reading: Reading, head: Mapping[str, YamlNode], key: str) -> str:
    node = head.get(key)
    if node is None or (isinstance(node, YamlScalar) and node.value is None):
        return ""
    if isinstance(node, YamlScalar) and isinstance(node.value, str):
        return node.value
    reading.error("V005", node, f"'{key}' must be a text, not {shape(node)}", "put quotes round it", key)
    return ""
