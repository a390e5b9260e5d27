"""Reads tools: parameters, implementation, and what of it a value could abuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import attrs

from vega_trio.agent import BackoffConfig
from vega_trio.dsl.command import split_command
from vega_trio.dsl.definitions import Named
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.offsets import span_within
from vega_trio.dsl.read_params import read_params
from vega_trio.dsl.read_policies import read_backoff
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.template import Template, ValueTemplate, compile_template
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    HttpRetry,
    Implementation,
    ToolDefinition,
)
from vega_trio.dsl.values import ExpressionError
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.protocols import ApprovalMode
from vega_trio.suggest import distance, remedy

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what providers of models take
_URL_START = re.compile(r"https?://[^/?#]+(?:[/?#]|$)", re.IGNORECASE)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_EFFECTS = ("read", "write", "network", "exec")


@attrs.frozen
class ToolSetting:
    """What tools may refer to: the names of values that are set, and of tools that the application has.

    `exposed`: commands run here without isolation, unless the document has chosen that.
    """

    values: frozenset[str]
    tools: frozenset[str]
    exposed: bool = False


def read_tool(reading: Reading, named: Named, setting: ToolSetting) -> ToolDefinition | None:
    """Reports V015, V016, V020-V024, V033, W107, W114, W115; None when there is no implementation."""
    fields = Fields(reading, named.node, named.path, owner=named.name_node)
    fields.text("name")
    if not _NAME.fullmatch(named.name):
        message = f"the tool name '{named.name[:40]}' must be letters, digits, _ and -, 64 at most"
        reading.error("V015", named.name_node, message, path=named.path)
    if named.name in BUILTIN_TOOLS:
        message = f"'{named.name}' replaces the built-in tool of that name"
        reading.error("W107", named.name_node, message, path=named.path)
    params = read_params(fields)
    texts = _Texts(reading, {each.name for each in params}, setting)
    implementation, inner_timeout = _implementation(fields, texts, setting)
    definition = ToolDefinition(
        name=named.name,
        implementation=implementation or BuiltinImpl(function=""),
        place=named.name_node.span.place,
        description=fields.text("description"),
        params=params,
        timeout_s=_timeout(fields, inner_timeout),
        idempotent=fields.flag("idempotent", False),
        effects=_effects(fields),
        approval=_approval(fields),
        values=frozenset(texts.values),
        disabled=_disabled(named.node),
    )
    fields.finish()
    if implementation is None:
        return None
    if setting.exposed and isinstance(implementation, ExecImpl):
        how = "refuses this command" if implementation.whole_command else "runs this command within limits only"
        hint = "install bubblewrap, or accept it with settings.commands.sandbox: none"
        message = f"without bubblewrap vega {how}"
        reading.error("W115", named.name_node, message, hint, named.path)
    return definition


def _timeout(fields: Fields, inner: float | None) -> float:
    own = fields.maybe_duration("timeout")
    if own is not None and inner is not None:
        hint = "remove one of them"
        fields.wrong("V033", "timeout", "'timeout' stands in the tool and in its implementation", hint)
    return own or inner or 30.0


def _effects(fields: Fields) -> frozenset[str]:
    found = fields.texts("effects")
    for each in found:
        if each not in _EFFECTS:
            fields.wrong("V016", "effects", f"'{each}' is no effect", f"the effects are: {', '.join(_EFFECTS)}")
    return frozenset(found) & frozenset(_EFFECTS)


def _approval(fields: Fields) -> ApprovalMode:
    kinds: dict[str, ApprovalMode] = {"auto": "auto", "always": "always", "never": "never"}
    return fields.choice("approval", "auto", kinds)


def _disabled(node: YamlNode) -> str:
    unset = next((each.unset for each in scalars(node) if each.unset), "")
    return f"the environment variable {unset} is not set" if unset else ""


def scalars(node: YamlNode) -> Iterator[YamlScalar]:
    """Every scalar of a tree that is no key."""
    match node:
        case YamlScalar():
            yield node
        case YamlList():
            for item in node.items:
                yield from scalars(item)
        case YamlMap():
            for _, item in node.entries:
                yield from scalars(item)


# -- texts with parameters


@attrs.define
class _Texts:
    """Compiles the texts of one tool and collects the values they use that are no parameters."""

    reading: Reading
    params: set[str]
    setting: ToolSetting
    values: set[str] = attrs.field(factory=set)

    def template(self, fields: Fields, key: str) -> Template:
        """Of a required or optional text; empty when it is absent."""
        node = fields.take(key)
        if node is None:
            return compile_template("")
        return self.of(node, fields.at(key))

    def of(self, node: YamlNode, path: str) -> Template:
        template = self.reading.template(node, path, tool=True)
        self._check(node, template, path)
        return template

    def value(self, node: YamlNode, path: str) -> ValueTemplate:
        """Of any YAML value."""
        found = self.reading.value_template(node, path, tool=True)
        for each in scalars(node):
            if isinstance(each.value, str) and "{{" in each.value:
                self._check(each, _quietly(each.text), path)
        return found

    def by_name(self, fields: Fields, key: str) -> Mapping[str, Template]:
        inner = fields.inner(key)
        if inner is None:
            return {}
        found = {name: self.template(inner, name) for name in inner.entries}
        inner.finish()
        return found

    def _check(self, node: YamlNode, template: Template, path: str) -> None:
        assert isinstance(node, YamlScalar) or not template.references
        for reference in template.references:
            name = reference.name
            if name in self.params:
                continue
            span = span_within(node, reference.start, reference.end) if isinstance(node, YamlScalar) else node.span
            near = next((each for each in sorted(self.params) if distance(name, each, 1) <= 1 and len(name) > 2), None)
            if near and name not in self.setting.values:
                message = f"'{name}' is not a parameter of this tool"
                self.reading.report.add("V024", span, message, f"did you mean '{near}'?", path)
                continue
            self.values.add(name)
            if name not in self.setting.values:
                hint = f"declare a parameter, or set settings.values.{name} or VEGA_VALUE_{name.upper()}"
                message = f"'{name}' is no parameter, and no value of that name is set"
                self.reading.report.add("W114", span, message, hint, path)


def _quietly(text: str) -> Template:
    """Compiled again for its references; what is wrong with it has been reported."""
    try:
        return compile_template(text, tool=True)
    except ExpressionError:
        return compile_template("")


# -- implementations


def _implementation(
    fields: Fields, texts: _Texts, setting: ToolSetting
) -> tuple[Implementation | None, float | None]:
    """The implementation and its timeout, if it has one."""
    run = fields.take("run")
    inner = fields.inner("implementation")
    if (run is None) == (inner is None):
        message = "a tool has either 'implementation' or 'run'" if inner else "a tool needs an 'implementation'"
        fields.lacking("V022", message, "write for example: run: date")
        return None, None
    if inner is None:
        assert run is not None
        return _exec(fields, texts, "run"), None
    kinds: dict[str, Callable[[Fields, _Texts], Implementation]] = {
        "http": _http,
        "exec": lambda inner, texts: _exec(inner, texts, "command"),
        "file_read": _file_read,
        "file_write": _file_write,
        "builtin": lambda inner, texts: _builtin(inner, setting),
    }
    kind = inner.text("type")
    if kind not in kinds:
        hint = remedy(kind, kinds, "the types are") if kind else f"the types are: {', '.join(sorted(kinds))}"
        message = f"unknown implementation type '{kind}'" if kind else "an implementation needs a 'type'"
        inner.wrong("V022", "type", message, hint)
        return None, None
    found = kinds[kind](inner, texts)
    timeout = inner.maybe_duration("timeout")
    inner.finish()
    return found, timeout


def _needed(fields: Fields, key: str) -> None:
    if fields.take(key) is None:
        fields.lacking("V022", f"'{key}' is missing")


def _http(fields: Fields, texts: _Texts) -> HttpImpl:
    _needed(fields, "url")
    url = texts.template(fields, "url")
    _check_url(fields, url)
    query = fields.inner("query")
    entries = query.entries if query else {}
    body = fields.take("body")
    return HttpImpl(
        url=url,
        method=_method(fields),
        headers=texts.by_name(fields, "headers"),
        query={key: texts.value(node, f"{fields.at('query')}.{key}") for key, (_, node) in entries.items()},
        body=None if body is None else texts.value(body, fields.at("body")),
        retry=_http_retry(fields),
    )


def _method(fields: Fields) -> str:
    found = fields.text("method", "GET").upper()
    if found not in _METHODS:
        fields.wrong("V016", "method", f"'{found}' is no method", f"the methods are: {', '.join(_METHODS)}")
    return found


def _check_url(fields: Fields, url: Template) -> None:
    """The host is written out, or the whole address is one value."""
    if url.hole is not None or not url.text:
        return
    first = url.parts[0] if isinstance(url.parts[0], str) else ""
    if _URL_START.match(first if len(url.parts) > 1 else first + "/") and (
        len(url.parts) == 1 or not re.fullmatch(r"https?://[^/?#]*", first, re.IGNORECASE)
    ):
        return
    if len(url.parts) > 1 and re.match(r"(?:https?://[^/?#]*)?$", first, re.IGNORECASE):
        hint = "write the host out, or give the whole address as one value"
        fields.wrong("V023", "url", "a value stands in the host of the address", hint)
        return
    fields.wrong("V022", "url", f"'{url.text[:60]}' is no http address", "begin it with https://")


def _http_retry(fields: Fields) -> HttpRetry | None:
    inner = fields.inner("retry")
    if inner is None:
        return None
    found = HttpRetry(
        inner.whole("attempts", 3, 1, 20), read_backoff(inner, BackoffConfig(initial=1.0, jitter=0.1))
    )
    inner.finish()
    return found


def _exec(fields: Fields, texts: _Texts, key: str) -> ExecImpl:
    _needed(fields, key)
    template = texts.template(fields, key)
    env = texts.by_name(fields, "env") if key == "command" else {}
    node = fields.take(key)
    if node is None or (isinstance(node, YamlScalar) and node.unset):
        return ExecImpl()
    try:
        return attrs.evolve(split_command(template), env=env)
    except ExpressionError as error:
        span = span_within(node, error.start, error.end) if isinstance(node, YamlScalar) else node.span
        fields.reading.report.add(error.code, span, error.message, error.hint, fields.at(key))
        return ExecImpl()


def _file_read(fields: Fields, texts: _Texts) -> FileReadImpl:
    _needed(fields, "path")
    encodings = {"utf-8": "utf-8", "base64": "base64", "binary": "binary"}
    return FileReadImpl(
        path=texts.template(fields, "path"),
        encoding=fields.choice("encoding", "utf-8", encodings),  # type: ignore[arg-type]
    )


def _file_write(fields: Fields, texts: _Texts) -> FileWriteImpl:
    _needed(fields, "path")
    _needed(fields, "content")
    return FileWriteImpl(
        path=texts.template(fields, "path"),
        content=texts.template(fields, "content"),
        mode=_mode(fields),
        mkdir=fields.flag("mkdir", False),
    )


def _mode(fields: Fields) -> int | None:
    """Permission bits; `0644`, `644` and `0o644` are the same, read as octal digits."""
    node = fields.take("mode")
    if node is None:
        return None
    digits = node.text.removeprefix("0o") if isinstance(node, YamlScalar) else ""
    if re.fullmatch(r"0?[0-7]{3,4}", digits):
        return int(digits, 8)
    fields.wrong("V016", "mode", f"'mode' must be octal digits, not {shape(node)}", "write for example mode: 0644")
    return None


def _builtin(fields: Fields, setting: ToolSetting) -> BuiltinImpl:
    _needed(fields, "function")
    function = fields.text("function")
    known = BUILTIN_TOOLS | setting.tools
    if function and function not in known:
        fields.wrong("V020", "function", f"unknown built-in tool '{function}'", remedy(function, known, "there are"))
    return BuiltinImpl(function=function)
