"""Reads tools: parameters, implementation, and what of it a value could abuse."""

from __future__ import annotations

from vega_trio.dsl.definitions import Named
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.read_implementations import read_implementation
from vega_trio.dsl.read_params import read_params
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    ToolDefinition,
)
from vega_trio.dsl.tool_texts import ToolSetting, ToolTexts
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.dsl.yaml_nodes import YamlNode, scalars
from vega_trio.protocols import EFFECTS, TOOL_NAME, TOOL_TIMEOUT_S, ApprovalMode


def read_tool(reading: Reading, named: Named, setting: ToolSetting) -> ToolDefinition | None:
    """Reports V015, V016, V020-V024, V033, W107, W114, W115; None when there is no implementation."""
    fields = Fields(reading, named.node, named.path, owner=named.name_node)
    fields.text("name")
    if not TOOL_NAME.fullmatch(named.name):
        message = f"the tool name '{named.name[:40]}' must be letters, digits, _ and -, 64 at most"
        reading.error("V015", named.name_node, message, path=named.path)
    if named.name in BUILTIN_TOOLS:
        message = f"'{named.name}' replaces the built-in tool of that name"
        reading.error("W107", named.name_node, message, path=named.path)
    params = read_params(fields)
    texts = ToolTexts(reading, {each.name for each in params}, setting)
    implementation, inner_timeout = read_implementation(fields, texts, setting)
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
    return own or inner or TOOL_TIMEOUT_S


def _effects(fields: Fields) -> frozenset[str]:
    found = fields.texts("effects")
    for each in found:
        if each not in EFFECTS:
            fields.wrong("V016", "effects", f"'{each}' is no effect", f"the effects are: {', '.join(EFFECTS)}")
    return frozenset(found) & frozenset(EFFECTS)


def _approval(fields: Fields) -> ApprovalMode:
    kinds: dict[str, ApprovalMode] = {"auto": "auto", "always": "always", "never": "never"}
    return fields.choice("approval", "auto", kinds)


def _disabled(node: YamlNode) -> str:
    unset = next((each.unset for each in scalars(node) if each.unset), "")
    return f"the environment variable {unset} is not set" if unset else ""
