"""The MCP servers of an application: the document's and those added to it while it runs, with what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from vega_trio._core.capping import cap
from vega_trio.app.admission import refuse_overload
from vega_trio.app.mcp_config import config_of_definition, missing_variable, well_known
from vega_trio.app.mcp_supervision import start_server, stop_server, supervise_servers
from vega_trio.app.mcp_tools import SPLIT, Selection, read_all, resource_tool
from vega_trio.changes import Delete, Put
from vega_trio.dsl.document import McpServerDefinition
from vega_trio.engine.approvals import Approvals
from vega_trio.errors import McpServerExists, MissingExtra, UnknownMcpServer, did_you_mean
from vega_trio.mcp.config import ServerConfig, config_of, config_row
from vega_trio.mcp.registry import RegistryEntry
from vega_trio.mcp.source import Kit, McpSource
from vega_trio.protocols import Commit, Store, Tool, ToolSource, ToolSpec
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.supervisor import Supervisor
from vega_trio.tools.arguments import compile_check
from vega_trio.tools.output import shown

TABLE: Final = "mcp_server"

Origin = Literal["document", "api"]


@attrs.frozen(kw_only=True)
class McpServerInfo:
    """A server as it is listed. `tools` are its own names for them, those disabled left out; `changed` are those.

    `disabled` says why nobody connects it, and is empty when somebody does. `problems` are definitions not offered.
    """

    name: str
    config: ServerConfig
    origin: Origin
    connected: bool
    tools: tuple[str, ...]
    changed: tuple[str, ...]
    problems: tuple[str, ...]
    disabled: str
    error: str
    restarts: int


@attrs.define(eq=False)
class _Server:
    source: McpSource
    origin: Origin
    disabled: str = ""


@attrs.define(eq=False, kw_only=True)
class Mcp:
    """`app.mcp`.

    `env` is our environment, `base` what paths are relative to, `approvals` where goes what servers ask of people.
    `any_command`: whoever may administer may add servers that are any program, not only the registry's. Servers are
    told no roots: one that takes them would drop the directories that its author gave it as arguments.
    """

    store: Store
    env: Mapping[str, str] = attrs.field(repr=False)
    base: Path
    approvals: Approvals = attrs.field(repr=False)
    any_command: bool = False
    _servers: dict[str, _Server] = attrs.field(factory=dict, init=False)
    _ever: set[str] = attrs.field(factory=set, init=False)
    _orch: Orchestrator | None = attrs.field(default=None, init=False)
    _supervisor: Supervisor | None = attrs.field(default=None, init=False)

    # -- opening

    async def load(self, definitions: Iterable[McpServerDefinition]) -> None:
        """Takes in the document's servers and those on record. Raises: ConfigError, MissingExtra."""
        rows = {row["name"]: row for row in await self.store.records.query(TABLE)}
        for definition in definitions:
            row = rows.pop(definition.name, {})
            config = config_of_definition(definition, self.base, self.env)
            missing = missing_variable(config)
            disabled = definition.disabled or row.get("disabled", "") or (f"{missing} is not set" if missing else "")
            self._add(config, "document", disabled, row.get("pins", {}))
        for row in rows.values():
            if row["config"] is not None:  # else the document no longer has it
                self._add(config_of(row["config"]), "api", row["disabled"], row["pins"])
        if self._servers:
            _need_sdk()

    async def open(self, orch: Orchestrator) -> None:
        """Starts to connect them all, and waits for none."""
        self._orch = orch
        for server in self._servers.values():
            if not server.disabled:
                await self._start(server)

    def _add(self, config: ServerConfig, origin: Origin, disabled: str, pins: Mapping[str, str]) -> _Server:
        name = config.name
        kit = Kit(
            host=self.env,
            compile_check=compile_check,
            cap=cap,
            shown=shown,
            emit=self._emit,
            pinned=lambda _: self._save(name),
            peer=self._peer,
        )
        server = self._servers[name] = _Server(McpSource(config, kit, dict(pins)), origin, disabled)
        self._ever.add(name)
        return server

    def _emit(self, event: Any) -> None:
        if self._orch is not None:
            self._orch.bus.emit(event)

    def _peer(self, source: McpSource) -> Any:
        from vega_trio.app.mcp_peer import Answering  # the SDK is loaded by now

        assert self._orch is not None
        return Answering(self._orch, self.approvals).peer(source)

    async def _start(self, server: _Server) -> None:
        if self._supervisor is None:
            assert self._orch is not None
            self._supervisor = await supervise_servers(self._orch)
        await start_server(self._supervisor, server.source)

    async def _stop(self, server: _Server) -> None:
        if self._supervisor is not None:
            await stop_server(self._supervisor, server.source)

    def _save(self, name: str) -> Commit:
        server = self._servers[name]
        row = {
            "name": name,
            "config": config_row(server.source.config) if server.origin == "api" else None,
            "disabled": server.disabled,
            "pins": dict(server.source.pins),
        }
        return self.store.submit(Put(TABLE, name, row))

    # -- the tools

    def select(self, name: str) -> ToolSource | None:
        """The tools that a name or pattern such as `fs__*` means, now and later; None when it is none of a server's."""
        server, split, _ = name.partition(SPLIT)
        if not split or not ("*" in server or server in self._ever):
            return None
        return Selection(name, self.sources)

    def sources(self) -> list[McpSource]:
        return [server.source for server in self._servers.values()]

    def resource_tool(self) -> Tool:
        """The built-in `mcp_read_resource`."""
        return resource_tool(self.read_resource)

    async def read_resource(self, server: str, uri: str) -> str:
        """Raises: UnknownMcpServer, McpError."""
        return await self._server(server).source.read_resource(uri)

    async def resources(self, addresses: Iterable[str]) -> dict[str, str]:
        """The texts of resources, each `server://resource`. Raises: ConfigError for one that cannot be read."""
        return await read_all(self.read_resource, addresses)

    # -- administration

    def servers(self) -> list[McpServerInfo]:
        """The document's first, then those added, in the order in which they came."""
        return [_info(server) for server in self._servers.values()]

    def server(self, name: str) -> McpServerInfo:
        """Raises: UnknownMcpServer."""
        return _info(self._server(name))

    def specs(self, name: str) -> list[ToolSpec]:
        """The tools that a server offers, as models see them. Raises: UnknownMcpServer."""
        return [tool.spec for tool in self._server(name).source.tools.values()]

    def registry(self) -> list[RegistryEntry]:
        """The well-known servers."""
        return well_known()

    async def connect(self, config: ServerConfig) -> McpServerInfo:
        """Adds a server, for good, and waits for what comes of the first attempt to connect it.

        Raises: McpServerExists, MissingExtra, StoreError.
        """
        if config.name in self._servers:
            raise McpServerExists(f"there is an MCP server {config.name!r} already; change its config, or delete it")
        _need_sdk()
        refuse_overload(self.store)
        server = self._add(config, "api", "", {})
        await self._save(config.name).wait()
        await self._start(server)
        await server.source.ready()
        return _info(server)

    async def configure(self, config: ServerConfig) -> McpServerInfo:
        """Replaces a server's configuration and connects it anew.

        Raises: UnknownMcpServer, McpServerExists, StoreError.
        """
        server = self._own(config.name, "change it there")
        refuse_overload(self.store)
        await self._stop(server)
        disabled, pins = server.disabled, server.source.pins
        server = self._add(config, "api", disabled, pins)
        await self._save(config.name).wait()
        return await self._connected_anew(server)

    async def refresh(self, name: str) -> McpServerInfo:
        """Connects anew and waits for what comes of it. Raises: UnknownMcpServer."""
        server = self._server(name)
        await self._stop(server)
        return await self._connected_anew(server)

    async def disable(self, name: str, disabled: bool) -> McpServerInfo:
        """Switches a server off, or on again. Raises: UnknownMcpServer, StoreError."""
        server = self._server(name)
        refuse_overload(self.store)
        await self._stop(server)
        server.disabled = "it was switched off" if disabled else ""
        await self._save(name).wait()
        return await self._connected_anew(server)

    async def delete(self, name: str) -> None:
        """Ends a server and forgets it.

        Raises: UnknownMcpServer; McpServerExists for one of the document's; StoreError.
        """
        server = self._own(name, "remove it there, or disable it")
        refuse_overload(self.store)
        await self._stop(server)
        del self._servers[name]
        await self.store.submit(Delete(TABLE, name)).wait()

    async def approve(self, name: str, tool: str | None = None) -> tuple[str, ...]:
        """Takes a changed definition, or all of a server's, for good; gives their names.

        Raises: UnknownMcpServer, StoreError.
        """
        source = self._server(name).source
        refuse_overload(self.store)
        approved = source.approve(tool)
        await self._save(name).wait()
        return approved

    async def _connected_anew(self, server: _Server) -> McpServerInfo:
        if not server.disabled:
            await self._start(server)
            await server.source.ready()
        return _info(server)

    def _own(self, name: str, remedy: str) -> _Server:
        server = self._server(name)
        if server.origin == "document":
            raise McpServerExists(f"the MCP server {name!r} is defined in the document; {remedy}")
        return server

    def _server(self, name: str) -> _Server:
        server = self._servers.get(name)
        if server is None:
            raise UnknownMcpServer(f"there is no MCP server {name!r}{did_you_mean(name, self._servers)}")
        return server


def _info(server: _Server) -> McpServerInfo:
    source = server.source
    changed = tuple(each.name for each in source.changed())
    return McpServerInfo(
        name=source.name,
        config=source.config,
        origin=server.origin,
        connected=source.connected,
        tools=tuple(each.name for each in source.definitions if each.name not in changed) if source.connected else (),
        changed=changed,
        problems=source.problems,
        disabled=server.disabled,
        error=source.error,
        restarts=source.restarts,
    )


def _need_sdk() -> None:
    if find_spec("mcp") is None:
        raise MissingExtra("mcp", "an MCP server")
