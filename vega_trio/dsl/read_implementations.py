"""Reads how a tool is carried out: over HTTP, by a command, on files, or by a built-in tool."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from vega_trio.dsl.command import split_command
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.read_policies import read_backoff
from vega_trio.dsl.reading import shape
from vega_trio.dsl.template import Template
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    HttpRetry,
    Implementation,
)
from vega_trio.dsl.tool_texts import ToolSetting, ToolTexts
from vega_trio.dsl.values import ExpressionError
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.dsl.yaml_nodes import YamlScalar
from vega_trio.suggest import remedy

_URL_START = re.compile(r"https?://[^/?#]+(?:[/?#]|$)", re.IGNORECASE)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def read_implementation(
    fields: Fields, texts: ToolTexts, setting: ToolSetting
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
    kinds: dict[str, Callable[[Fields, ToolTexts], Implementation]] = {
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


def _http(fields: Fields, texts: ToolTexts) -> HttpImpl:
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
    default = HttpRetry()
    found = HttpRetry(inner.whole("attempts", default.attempts, 1, 20), read_backoff(inner, default.backoff))
    inner.finish()
    return found


def _exec(fields: Fields, texts: ToolTexts, key: str) -> ExecImpl:
    _needed(fields, key)
    template = texts.template(fields, key)
    env = texts.by_name(fields, "env") if key == "command" else {}
    node = fields.take(key)
    if node is None or (isinstance(node, YamlScalar) and node.unset):
        return ExecImpl()
    try:
        return attrs.evolve(split_command(template), env=env)
    except ExpressionError as error:
        reading = fields.reading
        span = reading.places.span(node, error.start, error.end) if isinstance(node, YamlScalar) else node.span
        reading.report.add(error.code, span, error.message, error.hint, fields.at(key))
        return ExecImpl()


def _file_read(fields: Fields, texts: ToolTexts) -> FileReadImpl:
    _needed(fields, "path")
    encodings = {"utf-8": "utf-8", "base64": "base64", "binary": "binary"}
    return FileReadImpl(
        path=texts.template(fields, "path"),
        encoding=fields.choice("encoding", "utf-8", encodings),  # type: ignore[arg-type]
    )


def _file_write(fields: Fields, texts: ToolTexts) -> FileWriteImpl:
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
