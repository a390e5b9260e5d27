"""The tools that agents may name: built-in ones, Python tools given to the application, and the document's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from vega_trio.app.source import Order
from vega_trio.dsl.document import Document, Settings
from vega_trio.dsl.tool import ToolDefinition
from vega_trio.protocols import Tool
from vega_trio.tools.builtins import builtin_tools
from vega_trio.tools.defined import defined_tool
from vega_trio.tools.demo import PUBLISH, publish_tool


def named_tools(
    settings: Settings,
    definitions: Mapping[str, ToolDefinition],
    given: Iterable[Tool],
    *,
    base: Path,
    env: Mapping[str, str],
    canned_search: bool,
    stored: Mapping[str, object] | None = None,
) -> dict[str, Tool]:
    """By name; a later kind replaces an earlier one: built-in, given, defined in the document.

    `base` is what the sandbox is relative to; `stored` are tool values that people set while the program runs.
    `canned_search` gives the demo model's fixed search results, and its tool that asks a person.

    Raises: ConfigError for an address in the settings or the environment that is none.
    """
    sandbox = sandbox_of(base, settings)
    allow = (*settings.http_allow, *_words(env.get("VEGA_HTTP_ALLOW", "")))
    tools = builtin_tools(
        sandbox=sandbox,
        http_allow=allow,
        brave_key=env.get("BRAVE_API_KEY"),
        search_url=env.get("VEGA_SEARCH_URL"),
        canned_search=canned_search,
        commands_sandbox=settings.commands_sandbox,
    )
    if canned_search:
        tools[PUBLISH] = publish_tool()
    tools |= {tool.spec.name: tool for tool in given}
    defined = {
        name: defined_tool(
            definition,
            sandbox=sandbox,
            http_allow=allow,
            commands_sandbox=settings.commands_sandbox,
            values=settings.values,
            stored=stored,
            env=env,
            tools=tools,
        )
        for name, definition in definitions.items()
    }
    return {**tools, **defined}


def named_tools_of(order: Order, document: Document, resources: Tool, stored: Mapping[str, object]) -> dict[str, Tool]:
    """Those of an application; `resources` reads those of its MCP servers. Raises: ConfigError."""
    return named_tools(
        document.settings,
        document.tools,
        (resources, *order.tools),
        base=order.base,
        env=order.env,
        canned_search=order.default_model == "demo",
        stored=stored,
    )


def sandbox_of(base: Path, settings: Settings) -> Path:
    """The directory that file tools cannot leave."""
    return base / settings.sandbox


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]
