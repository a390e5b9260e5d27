"""The protocol's side: the SDK's server with an application behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import attrs
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from vega_trio._version import __version__
from vega_trio.app.application import App
from vega_trio.mcp_server.offers import Guest, Refusal, offers

UserOf = Callable[[Mapping[str, Any]], str]
"""Whose request it is, by its ASGI scope; an empty one on stdio."""


@attrs.define(eq=False)
class Front:
    """The handlers. Each MCP session is a guest, for as long as the SDK keeps it."""

    app: App
    user_of: UserOf
    _guests: WeakKeyDictionary[Any, Guest] = attrs.field(factory=WeakKeyDictionary)

    async def list_tools(self, _: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(
            tools=[
                Tool(
                    name=offer.name,
                    description=offer.description or None,
                    input_schema=dict(offer.schema),
                    annotations=ToolAnnotations(open_world_hint=True),
                )
                for offer in offers(self.app)
            ]
        )

    async def call_tool(self, context: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        user = self.user_of(context.request.scope if context.request is not None else {})
        try:
            given = await self._guest(context).call(
                user, asked.name, asked.arguments or {}, context.session.report_progress
            )
        except Refusal as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        return CallToolResult(
            content=[TextContent(type="text", text=given.text)],
            structured_content=dict(given.value) if given.value is not None else None,
        )

    def _guest(self, context: ServerRequestContext[Any]) -> Guest:
        connection = context.session._connection  # noqa: SLF001 - the SDK has no public name for a session
        return self._guests.setdefault(connection, Guest(self.app))


def make_server(app: App, user_of: UserOf) -> Server[Any]:
    """A server for any number of sessions."""
    front = Front(app, user_of)
    return Server(
        app.document.name or "vega",
        version=__version__,
        instructions=app.document.description or None,
        on_list_tools=front.list_tools,
        on_call_tool=front.call_tool,
    )
