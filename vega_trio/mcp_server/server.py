"""The protocol's side: the SDK's server with an application behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
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
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from vega_trio._version import __version__
from vega_trio.app.application import App
from vega_trio.mcp_server.offers import Guest, Refusal, offers

UserOf = Callable[[Mapping[str, Any]], str]
"""Whose request it is, by its ASGI scope; an empty one on stdio."""


@attrs.define(eq=False)
class Front:
    """The handlers. Each MCP session is a guest, for as long as the SDK keeps it.

    From 2026-07-28 on HTTP has no sessions: there each call is a guest of its own, whose conversation ends with it. On
    stdio there is one guest, `only`, whatever the revision.
    """

    app: App
    user_of: UserOf
    only: Guest | None = None
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
            async with self._guest(context) as guest:
                given = await guest.call(user, asked.name, asked.arguments or {}, context.session.report_progress)
        except Refusal as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        return CallToolResult(
            content=[TextContent(type="text", text=given.text)],
            structured_content=dict(given.value) if given.value is not None else None,
        )

    @asynccontextmanager
    async def _guest(self, context: ServerRequestContext[Any]) -> AsyncIterator[Guest]:
        if self.only is not None:
            yield self.only
        elif context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            guest = Guest(self.app)
            try:
                yield guest
            finally:
                await guest.leave()
        else:
            connection = context.session._connection  # noqa: SLF001 - the SDK has no public name for a session
            yield self._guests.setdefault(connection, Guest(self.app))


def make_server(app: App, user_of: UserOf, *, one_guest: bool = False) -> Server[Any]:
    """A server for any number of sessions, or for one."""
    front = Front(app, user_of, Guest(app) if one_guest else None)
    return Server(
        app.document.name or "vega",
        version=__version__,
        instructions=app.document.description or None,
        on_list_tools=front.list_tools,
        on_call_tool=front.call_tool,
    )
