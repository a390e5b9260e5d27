"""Tools that a document defines in YAML: called with checked arguments, filled into what the author wrote."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import attrs

from vega_trio._core.capping import cap
from vega_trio.context import ToolContext
from vega_trio.destinations import parse_allow
from vega_trio.dsl.read_params import params_schema
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    ToolDefinition,
)
from vega_trio.dsl.values import UNDEFINED, ExpressionError, Scope
from vega_trio.dsl.words import VALUE_PREFIX
from vega_trio.errors import ConfigError, ToolError, ToolRetry, did_you_mean
from vega_trio.messages import ToolOutput
from vega_trio.protocols import Tool, ToolSpec
from vega_trio.tools.arguments import Check, compile_check
from vega_trio.tools.defined_exec import ExecCall
from vega_trio.tools.defined_http import HttpCall
from vega_trio.tools.exchange import Web
from vega_trio.tools.files import in_thread, read_lines
from vega_trio.tools.filling import only_hole
from vega_trio.tools.isolation import CommandsSandbox
from vega_trio.tools.sandbox import Sandbox

Run = Callable[[Scope, ToolContext], Awaitable[str | ToolOutput]]


def defined_tool(
    definition: ToolDefinition,
    *,
    sandbox: Path,
    http_allow: Iterable[str] = (),
    commands_sandbox: CommandsSandbox | None = None,
    values: Mapping[str, object] | None = None,
    stored: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    tools: Mapping[str, Tool] | None = None,
) -> Tool:
    """A definition as a Tool.

    `values` are the document's tool values (`settings.values`); behind them come those `stored`, read anew at each
    call, and the `VEGA_VALUE_X` of `env`. `tools` are the built-in and Python tools that one of type `builtin` may
    stand for. Raises: ConfigError.
    """
    implementation = definition.implementation
    if isinstance(implementation, BuiltinImpl):
        return _alias(definition, implementation, tools or {})
    files = Sandbox(sandbox)
    known = partial(_tool_values, definition, values or {}, {} if stored is None else stored, env or {})
    match implementation:
        case HttpImpl():
            effects = {"network"}
            run: Run = HttpCall(implementation, Web(allow=parse_allow(http_allow)))
        case ExecImpl():
            effects = {"exec"}
            run = ExecCall(
                implementation=implementation,
                sandbox=files,
                mode=commands_sandbox,
                timeout_s=definition.timeout_s,
                network="network" in definition.effects,
            )
        case FileReadImpl():
            effects = {"read"}
            run = partial(_read, implementation, files)
        case FileWriteImpl():
            effects = {"write"}
            run = partial(_write, implementation, files)
        case _:
            assert_never(implementation)
    spec = _spec(definition, effects, params_schema(definition.params))
    return DefinedTool(spec=spec, definition=definition, values=known, run=run)


def _spec(definition: ToolDefinition, effects: Iterable[str], parameters: Mapping[str, Any]) -> ToolSpec:
    # A command has its own end at the timeout, which tells what it wrote until then.
    implementation = definition.implementation
    own_end = isinstance(implementation, ExecImpl)
    return ToolSpec(
        name=definition.name,
        description=definition.description,
        parameters=parameters,
        timeout_s=None if own_end else definition.timeout_s,
        idempotent=definition.idempotent,
        effects=definition.effects.union(effects),
        approval=definition.approval,
        # Any other address has its host written out, by the author.
        chooses_destination=isinstance(implementation, HttpImpl) and only_hole(implementation.url) is not None,
    )


def _tool_values(
    definition: ToolDefinition, values: Mapping[str, object], stored: Mapping[str, object], env: Mapping[str, str]
) -> dict[str, object]:
    """What is set of the names that are no parameters. An empty variable counts as unset, as everywhere."""
    known: dict[str, object] = {}
    for name in definition.values:
        if name in values:
            known[name] = values[name]
        elif name in stored:
            known[name] = stored[name]
        elif given := env.get(VALUE_PREFIX + name.upper()):
            known[name] = given
    return known


@attrs.define(kw_only=True)
class DefinedTool:
    """A tool of the document. `values` gives what may be secrets: they are filled in, and never told to the model."""

    spec: ToolSpec
    definition: ToolDefinition
    values: Callable[[], Mapping[str, object]] = attrs.field(repr=False)
    run: Run = attrs.field(repr=False)
    _check: Check | None = attrs.field(init=False, default=None, repr=False)

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str | ToolOutput:
        """Raises: ToolError; ToolRetry for wrong arguments."""
        if self.definition.disabled:
            raise ToolError(f"the tool {self.spec.name!r} is disabled: {self.definition.disabled}")
        if self._check is None:
            self._check = compile_check(self.spec.parameters)
        self._check(arguments)
        params, values = self.definition.params, self.values()
        defaults = {each.name: each.default if each.has_default else UNDEFINED for each in params}
        scope: Scope = {**values, **defaults, **arguments}
        try:
            given = await self.run(scope, context)
        except ExpressionError as error:
            if absent := [name for name, value in scope.items() if value is UNDEFINED and f"'{name}'" in error.message]:
                raise ToolRetry(f"argument {absent[0]!r} is needed here; give it") from error
            raise ToolError(self._told(error, values)) from error
        return cap(given) if isinstance(given, str) else given

    def _told(self, error: ExpressionError, values: Mapping[str, object]) -> str:
        unset = sorted(self.definition.values - set(values))
        remedy = "".join(f"; set settings.values.{each} or {VALUE_PREFIX}{each.upper()}" for each in unset)
        return f"the tool {self.spec.name!r} cannot be filled in: {error}{remedy} ({self.definition.place})"


# -- files


async def _read(described: FileReadImpl, sandbox: Sandbox, scope: Scope, context: ToolContext) -> str:
    path = described.path.render_text(scope)
    if described.encoding == "utf-8":
        return await in_thread(partial(read_lines, sandbox, path))
    data = await in_thread(partial(sandbox.read, path))
    if described.encoding == "base64":
        return base64.b64encode(data).decode()
    return data.decode("utf-8", "backslashreplace")


async def _write(described: FileWriteImpl, sandbox: Sandbox, scope: Scope, context: ToolContext) -> str:
    path, data = described.path.render_text(scope), described.content.render_text(scope).encode()
    await in_thread(partial(sandbox.write, path, data, mkdir=described.mkdir, mode=described.mode))
    return f"wrote {len(data):,} bytes to {path}"


# -- other names


def _alias(definition: ToolDefinition, described: BuiltinImpl, tools: Mapping[str, Tool]) -> Tool:
    inner = tools.get(described.function)
    if inner is None:
        hint = did_you_mean(described.function, tools)
        raise ConfigError(
            f"the tool {definition.name!r} stands for {described.function!r}, which does not exist{hint} "
            f"({definition.place})"
        )
    parameters = params_schema(definition.params) if definition.params else inner.spec.parameters
    spec = _spec(definition, inner.spec.effects, parameters)
    spec = attrs.evolve(
        spec,
        description=definition.description or inner.spec.description,
        idempotent=definition.idempotent or inner.spec.idempotent,
        approval=inner.spec.approval if definition.approval == "auto" else definition.approval,
        chooses_destination=inner.spec.chooses_destination,
    )
    return DefinedTool(spec=spec, definition=definition, values=dict, run=partial(_forward, inner))


async def _forward(inner: Tool, scope: Scope, context: ToolContext) -> str | ToolOutput:
    return await inner.call({name: value for name, value in scope.items() if value is not UNDEFINED}, context)
