"""A server over all its connections: what it offers now, and calls that reach it whichever connection is up.

Rules.
1. `run` is one connection; whoever supervises it runs it again when it has failed. Between two there are no tools
   lost: what was listed last stays listed, and a call waits for the next connection.
2. A call that was not begun is made on the next connection. One that was is `McpLost`, and made once more only if its
   tool is idempotent.
3. A server that keeps failing is tried less and less often, and at once when somebody calls it.
4. What it offers is `offer.py`'s to say, and how long a call may take `call_clock.py`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import trio

from vega_trio._core.backoff import delay
from vega_trio._core.budget import Account, accounts
from vega_trio.agent import BackoffConfig
from vega_trio.context import Progress, ToolContext
from vega_trio.errors import ToolError, did_you_mean
from vega_trio.events import Event, McpConnected, McpDisconnected, McpToolsChanged
from vega_trio.mcp.call_clock import CallClock
from vega_trio.mcp.config import ServerConfig
from vega_trio.mcp.definitions import Definition, visible
from vega_trio.mcp.failures import McpError, McpLost, McpTimeout, McpUnavailable
from vega_trio.mcp.offer import Check, ListingDiff, Offer
from vega_trio.messages import ImagePart, ToolOutput
from vega_trio.protocols import Tool, ToolSpec

if TYPE_CHECKING:
    from mcp import Client
    from mcp.shared.dispatcher import ProgressFnT
    from mcp_types import CallToolResult

    from vega_trio.mcp.connection import Connection
    from vega_trio.mcp.peer import Peer

ATTEMPTS: Final = 2
PATIENCE: Final = 4  # attempts in a row that fail before pauses get long
PAUSES: Final = BackoffConfig(initial=5.0, max=300.0)
KEY: Final = "vega-trio/idempotency-key"  # in a call's `_meta`

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Kit:
    """What a source is handed from above: our environment, the schema check of the tools and their limits, and the bus.

    `compile_check` raises ValueError for a schema that is none; `pinned` is told the pins whenever there are new ones.
    """

    host: Mapping[str, str] = attrs.field(repr=False)
    compile_check: Callable[[Mapping[str, Any]], Check]
    cap: Callable[[str], str]
    shown: Callable[[str, Iterable[ImagePart]], str | ToolOutput]
    emit: Callable[[Event], object]
    pinned: Callable[[Mapping[str, str]], object]
    peer: Callable[[McpSource], Peer]


@attrs.frozen
class Caller:
    """On whose behalf a tool was called, and what that is charged to."""

    context: ToolContext
    accounts: tuple[Account, ...]


@attrs.define(eq=False)
class McpSource:
    """A server as a source of tools. `restarts` counts connections that were lost.

    `caller` is the last to have called: what the server asks meanwhile is asked on its behalf.
    """

    config: ServerConfig
    kit: Kit = attrs.field(repr=False)
    pins: dict[str, str] = attrs.field(factory=dict, repr=False)
    restarts: int = 0
    error: str = ""
    caller: Caller | None = attrs.field(default=None, repr=False)
    _offer: Offer = attrs.field(init=False, repr=False)
    _clock: CallClock = attrs.field(factory=CallClock, init=False, repr=False)
    _connection: Connection | None = attrs.field(default=None, repr=False)
    _news: trio.Event = attrs.field(factory=trio.Event, repr=False)
    _wanted: trio.Event = attrs.field(factory=trio.Event, repr=False)
    _failures: int = 0
    _failed: bool = False
    _stopped: bool = True

    @_offer.default
    def _nothing_offered(self) -> Offer:
        return Offer(
            name=self.name,
            compile_check=self.kit.compile_check,
            make=partial(McpTool, self),
            pinned=self.kit.pinned,
            pins=self.pins,
        )

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What may be called, by the name that models see. Live: it changes with the server."""
        return self._offer.tools

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All that the server listed last, disabled ones included."""
        return self._offer.definitions

    @property
    def problems(self) -> tuple[str, ...]:
        """Why some of them are not offered."""
        return self._offer.problems

    def changed(self) -> tuple[Definition, ...]:
        """The definitions that are not the pinned ones and wait for approval."""
        return self._offer.changed()

    def approve(self, tool: str | None = None) -> tuple[str, ...]:
        """Takes the present definition of a tool, or of all, for good. Gives the names of those that had changed."""
        return self._offer.approve(tool)

    # -- connections

    async def run(self) -> None:
        """One connection, from start to loss. Raises: McpUnavailable, McpLost. Cancelling closes it."""
        await self._pause()
        # The SDK takes most of a second to import: only who has a server pays for it, and nobody else waits.
        module = await trio.to_thread.run_sync(import_module, "vega_trio.mcp.connection")
        connection: Connection = module.Connection(self.config, self.kit.host, self.kit.peer(self))
        error = ""
        try:
            await connection.run(lambda listed: self._listed(connection, listed))
        except McpError as failure:
            error = self.error = str(failure)
            self._failed = True
            self._failures += 1
            raise
        finally:
            self._lost(error)

    async def _pause(self) -> None:
        """Before an attempt that will most likely fail like those before it."""
        pause_s = pause_after(self._failures)
        if pause_s:
            with trio.move_on_after(pause_s):
                await self._wanted.wait()
        self._wanted = trio.Event()

    def _listed(self, connection: Connection, listed: list[dict[str, Any]]) -> None:
        known = bool(self.pins)
        first = not self.definitions
        listing = self._offer.take(listed)
        if self._connection is None:
            self._connection, self._failed, self._failures, self.error = connection, False, 0, ""
            self.kit.emit(McpConnected(server=self.name, tools=tuple(each.name for each in self.definitions)))
            if first:
                listing = ListingDiff(frozenset(), listing.removed)
        self._tell_changes(listing, known=known)
        self._tell()

    def _tell_changes(self, listing: ListingDiff, *, known: bool) -> None:
        changed = tuple(each.name for each in self.changed())
        if changed or listing.removed or (listing.added and known):
            added, removed = tuple(sorted(listing.added)), tuple(sorted(listing.removed))
            self.kit.emit(McpToolsChanged(server=self.name, added=added, removed=removed, changed=changed))

    def _lost(self, error: str) -> None:
        if self._connection is not None:
            self._connection = None
            self.restarts += bool(error)
            self.kit.emit(McpDisconnected(server=self.name, error=error))
        self._tell()

    def stopped(self) -> None:
        """Nobody connects it any more: it has no tools, and a call need not wait."""
        self._stopped = True
        self._offer.tools.clear()
        self._tell()

    def started(self) -> None:
        """Somebody will connect it: a call may wait."""
        self._stopped = self._failed = False
        self._failures = 0
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    # -- what others wait for

    async def ready(self) -> None:
        """Returns when the first attempt to connect has come to something, whatever that is."""
        while not (self.connected or self._failed or self._stopped):
            await self._news.wait()

    async def request(self, make: Callable[[Client], Awaitable[T]], *, repeat: bool = False) -> T:
        """Makes a call of the SDK's client on the connection of the day, waiting for one where there is none.

        Raises: McpUnavailable, McpLost, McpTimeout, McpError.
        """
        with self._clock.limited(self.config.timeout_s):
            for attempt in range(1, ATTEMPTS + 1):
                connection = await self._available()
                try:
                    return await connection.request(make)
                except McpUnavailable:
                    if attempt == ATTEMPTS:
                        raise
                except McpLost:
                    if attempt == ATTEMPTS or not repeat:
                        raise
                await self._gone(connection)
        raise McpTimeout(
            f"the MCP server {self.name!r} did not answer within {self.config.timeout_s:g} s"
            + (f"; {self.error}" if self.error else "")
        )

    def without_time_limit(self) -> AbstractContextManager[None]:
        """While the server waits for a person or a model of ours, the time of the calls under way stands still."""
        return self._clock.stopped()

    async def _available(self) -> Connection:
        with trio.move_on_after(self.config.start_s):
            while self._connection is None:
                if self._stopped:
                    raise McpUnavailable(self._not_running())
                self._wanted.set()
                await self._news.wait()
            return self._connection
        raise McpUnavailable(f"the MCP server {self.name!r} is not connected; {self.error or 'it is starting'}")

    def _not_running(self) -> str:
        return f"the MCP server {self.name!r} is not running; {self.error or 'start it'}"

    async def _gone(self, connection: Connection) -> None:
        while self._connection is connection:
            await self._news.wait()

    async def call(
        self, definition: Definition, arguments: Mapping[str, Any], context: ToolContext
    ) -> str | ToolOutput:
        """Calls a tool. Raises: ToolError with what the server says went wrong, and as `request`."""
        self.caller = Caller(context, accounts())
        from vega_trio.mcp.results import call_images

        text, result = await self._call(definition, arguments, context.idempotency_key, context.progress)
        return self.kit.shown(text, call_images(result))

    async def _call(
        self, definition: Definition, arguments: Mapping[str, Any], key: str, progress: Progress | None = None
    ) -> tuple[str, CallToolResult]:
        from vega_trio.mcp.results import call_text

        meta: Any = {KEY: key} if key else None
        given = dict(arguments)
        report = _reporting(progress) if progress is not None else None
        result = await self.request(
            lambda client: client.call_tool(definition.name, given, progress_callback=report, meta=meta),
            repeat=definition.idempotent,
        )
        text = self.kit.cap(call_text(result))
        if result.is_error:
            raise ToolError(text or f"{definition.tool_name} failed and does not say why")
        return text, result

    async def call_tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> str:
        """Calls a tool by its server's name for it, for a program that has no agent. Raises: as `call`, ToolRetry."""
        for tool in self.tools.values():
            if isinstance(tool, McpTool) and tool.definition.name == name:
                tool.check(arguments or {})
                text, _ = await self._call(tool.definition, arguments or {}, "")
                return text
        if self._stopped:
            raise McpUnavailable(self._not_running())
        known = [each.name for each in self.definitions]
        if name in known:
            raise McpError(f"the tool {name!r} of the MCP server {self.name!r} is disabled: {'; '.join(self.problems)}")
        raise McpError(f"the MCP server {self.name!r} offers no tool {name!r}{did_you_mean(name, known)}")

    async def read_resource(self, uri: str) -> str:
        """The text of a resource. Raises: as `request`."""
        from vega_trio.mcp.results import resource_text

        return self.kit.cap(resource_text(await self.request(lambda client: client.read_resource(uri), repeat=True)))

    async def get_prompt(self, name: str, arguments: Mapping[str, str] | None = None) -> str:
        """A prompt of the server's, its messages one after the other. Raises: as `request`."""
        from vega_trio.mcp.results import prompt_text

        given = dict(arguments or {})
        got = await self.request(lambda client: client.get_prompt(name, given), repeat=True)
        return self.kit.cap(prompt_text(got))


def pause_after(failures: int) -> float:
    """Seconds before the attempt that follows so many failed ones in a row."""
    excess = failures - PATIENCE
    return delay(PAUSES, excess + 1, 0.5) if excess >= 0 else 0.0


def _reporting(tell: Progress) -> ProgressFnT:
    """What the SDK calls when the server says how far it is."""

    async def report(progress: float, total: float | None, message: str | None) -> None:
        tell(progress, total, visible(message or ""))

    return report


@attrs.frozen(eq=False)
class McpTool:
    """One tool of a server. Its effect is `network`: what it does, it does out of our sight."""

    source: McpSource
    definition: Definition
    check: Check

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name=self.definition.tool_name,
            description=self.definition.description,
            parameters=self.definition.schema,
            timeout_s=None,  # the source's own, which stands still while the server waits for us
            idempotent=self.definition.idempotent,
            effects=frozenset({"network"}),
        )

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str | ToolOutput:
        """Raises: ToolRetry for arguments that do not fit the schema; as `McpSource.call`."""
        self.check(arguments)
        return await self.source.call(self.definition, arguments, context)
