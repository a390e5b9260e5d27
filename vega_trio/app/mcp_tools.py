"""What agents have of MCP servers: tools by name or pattern, and resources."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import trio

from vega_trio.errors import ConfigError, McpError, UnknownMcpServer
from vega_trio.mcp.source import McpSource, McpTool
from vega_trio.protocols import Tool
from vega_trio.tools.toolbox import as_tool, tool

SPLIT: Final = "__"
"""Between a server's name and its name for a tool."""

ReadResource = Callable[[str, str], Awaitable[str]]
"""The text of a server's resource. Raises: UnknownMcpServer, McpError."""


@attrs.frozen(eq=False)
class Selection:
    """The tools of an agent's entry such as `fs__*`: what matches, of the servers that there are now."""

    name: str
    every: Callable[[], Iterable[McpSource]] = attrs.field(repr=False)

    @property
    def tools(self) -> Mapping[str, Tool]:
        matches = _matcher(self.name)
        return {
            name: tool
            for source in self._sources()
            for name, tool in source.tools.items()
            if matches(name) or (isinstance(tool, McpTool) and matches(f"{source.name}{SPLIT}{tool.definition.name}"))
        }

    def _sources(self) -> list[McpSource]:
        matches = _matcher(self.name.partition(SPLIT)[0])
        return [source for source in self.every() if matches(source.name)]

    async def ready(self) -> None:
        for source in self._sources():
            await source.ready()


def _matcher(pattern: str) -> Any:
    return partial(re.fullmatch, re.escape(pattern).replace(r"\*", ".*"))


def resource_tool(read: ReadResource) -> Tool:
    """The built-in `mcp_read_resource`."""

    @tool(name="mcp_read_resource", effects=["network"], idempotent=True)
    async def mcp_read_resource(server: str, uri: str) -> str:
        """Reads a resource of an MCP server.

        Args:
            server: The server's name.
            uri: The resource's address, as the server gives it.
        """
        return await read(server, uri)

    return as_tool(mcp_read_resource)


async def read_all(read: ReadResource, addresses: Iterable[str]) -> dict[str, str]:
    """The texts of resources, side by side. An address is `server://resource`, the latter a URI or part of one.

    Raises: ConfigError for one that cannot be read.
    """
    texts: dict[str, str] = {}
    failures: list[str] = []

    async def read_one(address: str) -> None:
        server, _, rest = address.partition("://")
        try:
            texts[address] = await read(server, rest if "://" in rest else address)
        except (McpError, UnknownMcpServer) as error:
            failures.append(f"the resource {address!r} cannot be read: {error}")

    async with trio.open_nursery() as nursery:
        for each in addresses:
            nursery.start_soon(read_one, each)
    if failures:
        raise ConfigError(failures[0])
    return texts
