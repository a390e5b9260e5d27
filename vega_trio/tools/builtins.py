"""The built-in tools by name. Making them opens no file, no connection and no directory; their first use does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vega_trio.destinations import Allow, parse_allow
from vega_trio.protocols import Tool
from vega_trio.tools.exchange import Web
from vega_trio.tools.files import file_tools
from vega_trio.tools.http import http_tools
from vega_trio.tools.isolation import CommandsSandbox
from vega_trio.tools.sandbox import Sandbox
from vega_trio.tools.search import web_search_tool
from vega_trio.tools.shell import run_command_tool


def builtin_tools(
    *,
    sandbox: Path,
    http_allow: Iterable[str] | Allow = (),
    brave_key: str | None = None,
    search_url: str | None = None,
    canned_search: bool = False,
    commands_sandbox: CommandsSandbox | None = None,
) -> dict[str, Tool]:
    """Every built-in tool: files and commands within `sandbox`, the web as far as `http_allow` goes, search.

    `commands_sandbox` "none" runs commands without isolation; otherwise they need bubblewrap. `exec` is another
    name of run_command. Raises: ConfigError for an entry of `http_allow` or a `search_url` that is none.
    """
    files = Sandbox(sandbox)
    web = Web(allow=http_allow if isinstance(http_allow, Allow) else parse_allow(http_allow))
    tools = (
        *file_tools(files),
        run_command_tool(files, commands_sandbox),
        run_command_tool(files, commands_sandbox, name="exec"),
        *http_tools(web),
        web_search_tool(brave_key=brave_key, search_url=search_url, canned=canned_search, web=web),
    )
    return {tool.spec.name: tool for tool in tools}
