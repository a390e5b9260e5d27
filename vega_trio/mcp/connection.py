"""One connection to a server, in one task: handshake, tools, calls, and the day it ends.

    open        streams and handshake within `start_s`; the tools are listed
    serve       calls come through a channel and run side by side in this task's nursery
    lost        the streams ended, or the SDK gave up (it cancels our body then): the calls under way are told, and
                `McpLost` or `McpUnavailable` leaves `run`

Everything of the SDK is entered and left here. A caller only waits for a slot, so nobody else is inside the SDK's
nurseries, and a cancelled caller cancels its call, which the SDK tells the server.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import attrs
import trio
from mcp import Client
from mcp.client import InputRequiredRoundsExceededError
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    Implementation,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from vega_trio._core.masking import masked_arguments
from vega_trio._core.redact import masked_addresses, shown_url
from vega_trio._version import __version__
from vega_trio.mcp.config import ServerConfig
from vega_trio.mcp.failures import McpError, McpLost, McpUnavailable, first_cause, leaves
from vega_trio.mcp.peer import Peer
from vega_trio.mcp.transports import Refusals, Watched, open_transport

MAX_PAGES: Final = 100
MAX_CALLS: Final = 100  # waiting for the task; more than this at once is a caller gone wrong
_NO_REASON: Final = "Server returned an error response"  # the SDK's words where the server's were no JSON-RPC
_NO_SESSION = re.compile(r"session (terminated|not found|expired)|(no valid|invalid|unknown|missing) session", re.I)

T = TypeVar("T")


@attrs.define(eq=False)
class _Slot(Generic[T]):
    """A call on its way: who waits for it has `done`, who makes it has `scope`."""

    make: Callable[[Client], Awaitable[T]]
    done: trio.Event = attrs.field(factory=trio.Event)
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    begun: bool = False
    result: T | None = None
    error: McpError | None = None

    def fail(self, error: McpError) -> None:
        if not self.done.is_set():
            self.error = error
            self.done.set()


@attrs.define(eq=False)
class Connection:
    """A connection to be made by `run` and used, meanwhile, by anybody through `request`."""

    config: ServerConfig
    host: Mapping[str, str] = attrs.field(repr=False)
    peer: Peer = attrs.field(repr=False)
    _slots: set[_Slot[Any]] = attrs.field(factory=set, init=False)
    _send: trio.MemorySendChannel[_Slot[Any]] = attrs.field(init=False)
    _receive: trio.MemoryReceiveChannel[_Slot[Any]] = attrs.field(init=False)
    _refusals: Refusals = attrs.field(factory=Refusals, init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)
    _ended: McpError | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel(MAX_CALLS)

    async def run(self, listed: Callable[[list[dict[str, Any]]], None]) -> None:
        """Connects and serves until it is lost or cancelled. `listed` gets the tools, again whenever they change.

        Raises: McpUnavailable when there was no connection, McpLost when there was. Cancelling closes it.
        """
        ready = False

        def heard(tools: list[dict[str, Any]]) -> None:
            nonlocal ready
            ready = True
            listed(tools)

        failure: McpError = McpLost(f"the MCP server {self.config.name!r} was stopped")
        try:
            with trio.move_on_after(self.config.start_s) as scope:
                await self._connected(heard, scope)
            failure = McpUnavailable(
                f"the MCP server {self.config.name!r} was not ready within {self.config.start_s:g} s"
            )
            raise failure
        except Exception as error:
            failure = self._failure(error, ready=ready)
            raise failure from error
        finally:
            self._end(failure)

    async def _connected(self, listed: Callable[[list[dict[str, Any]]], None], scope: trio.CancelScope) -> None:
        """`scope` ends when the connection is not there in time; then it bounds nothing any more."""
        watched = Watched(open_transport(self.config, self.host, self._refusals, self.peer.auth))
        async with Client(
            watched,
            message_handler=self._heard,
            client_info=Implementation(name="vega-trio", version=__version__),
            cache=None,
            **self.peer.callbacks(),
        ) as client:
            listed(await _list_tools(client))
            scope.deadline = math.inf
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._relist, client, listed)
                if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
                    nursery.start_soon(self._listen, client)
                nursery.start_soon(self._serve, client, nursery)
                await watched.ended.wait()
                raise McpLost(f"the MCP server {self.config.name!r} closed the connection")

    def _failure(self, error: Exception, *, ready: bool) -> McpError:
        """The one error of ours that says what a group of groups of the SDK's says."""
        ours = [each for each in leaves(error) if isinstance(each, McpError)]
        name = self.config.name
        if ready:
            if ours:
                return ours[0]
            return McpLost(
                f"the connection to the MCP server {name!r} was lost: {masked_addresses(first_cause(error))}"
            )
        where = shown_url(self.config.url) if self.config.url else " ".join(masked_arguments(self.config.command))
        cause = ours[0] if ours else error
        if isinstance(cause, McpUnavailable):
            return cause
        return McpUnavailable(
            f"the MCP server {name!r} cannot be reached ({where}): {masked_addresses(first_cause(cause))}"
        )

    def _end(self, error: McpError) -> None:
        self._ended = error
        for slot in list(self._slots):
            slot.fail(error if slot.begun else McpUnavailable(str(error)))
        self._send.close()
        self._receive.close()

    # -- calls

    async def request(self, make: Callable[[Client], Awaitable[T]]) -> T:
        """Has the connection's task call `make` and gives what it gives. Cancelling cancels that.

        Raises: McpUnavailable when the server was asked nothing, McpLost when the connection ended meanwhile, McpError.
        """
        if self._ended is not None:
            raise McpUnavailable(str(self._ended))
        slot = _Slot(make)
        self._slots.add(slot)
        try:
            self._send.send_nowait(slot)
            await slot.done.wait()
        except trio.WouldBlock:
            raise McpError(f"{MAX_CALLS} calls wait for the MCP server {self.config.name!r} already") from None
        finally:
            slot.scope.cancel()
            self._slots.discard(slot)
        if slot.error is not None:
            raise slot.error
        return slot.result  # type: ignore[return-value]

    async def _serve(self, client: Client, nursery: trio.Nursery) -> None:
        async for slot in self._receive:
            nursery.start_soon(self._call, client, slot)

    async def _call(self, client: Client, slot: _Slot[Any]) -> None:
        with slot.scope:
            slot.begun = True
            try:
                slot.result = await slot.make(client)
            except MCPError as error:
                if self._is_gone(error):
                    slot.begun = _is_lost(error)  # a session that is not known has done nothing
                    raise McpLost(f"the MCP server {self.config.name!r} is gone: {error.message}") from error
                slot.fail(McpError(f"the MCP server {self.config.name!r} says: {error.message}"))
            except (ValidationError, InputRequiredRoundsExceededError, RuntimeError) as error:
                slot.fail(McpError(f"the MCP server {self.config.name!r} gave what the protocol does not: {error}"))
            slot.done.set()

    def _is_gone(self, error: MCPError) -> bool:
        """Whether only a new connection helps."""
        if _is_lost(error) or (self.config.transport == "http" and _NO_SESSION.search(error.message)):
            return True
        return self._refusals.session and error.message == _NO_REASON

    # -- tools that change

    async def _relist(self, client: Client, listed: Callable[[list[dict[str, Any]]], None]) -> None:
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            listed(await _list_tools(client))

    async def _heard(self, message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._changed.set()

    async def _listen(self, client: Client) -> None:
        """From 2026-07-28 on news come on a stream that has to be asked for."""
        try:
            async with client.listen(tools_list_changed=True) as news:
                async for _ in news:
                    self._changed.set()
        except (ListenNotSupportedError, SubscriptionLost, MCPError):
            return  # it has no news to tell; what it lists at the next connection is compared all the same


def _is_lost(error: MCPError) -> bool:
    """The code alone is also what servers give their own errors."""
    return error.code == CONNECTION_CLOSED and error.message.startswith(("Connection closed", "SSE stream"))


async def _list_tools(client: Client) -> list[dict[str, Any]]:
    """All pages, as JSON. A server without tools has none."""
    if client.server_capabilities.tools is None:
        return []
    tools: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [each.model_dump(by_alias=True, mode="json", exclude_none=True) for each in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools
