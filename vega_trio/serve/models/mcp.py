"""MCP servers."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class McpChange:
    """A server's configuration, as far as it is to change. In `env` and `headers` null takes an entry away. Seconds."""

    transport: str | None = None
    command: str | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    timeout: float | None = None


@attrs.frozen
class NewMcpServer:
    """A server to be added. Without `command` and `url` it is the registry's of that name."""

    name: str
    transport: str | None = None
    command: str | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    timeout: float | None = None


@attrs.frozen
class McpSwitch:
    disabled: bool


@attrs.frozen
class McpApproval:
    """The tools whose changed definitions are taken; none named: all."""

    tools: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class McpServerEntry:
    """An MCP server. `tools` are its own names for them; those `changed` wait for approval and are not among them."""

    name: str
    connected: bool
    transport: str | None = None
    url: str | None = None
    command: str | None = None
    tools: tuple[str, ...]
    disabled: bool = False
    error: str = ""
    restarts: int
    changed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    source: str = ""


@attrs.frozen(kw_only=True)
class McpState:
    """What came of connecting a server."""

    name: str
    connected: bool
    tools: tuple[str, ...] = ()
    error: str = ""
    disabled: bool = False


@attrs.frozen(kw_only=True)
class McpConfigEntry:
    """A server's configuration, secrets left out: of variables and headers there are only the names."""

    name: str
    transport: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env_keys: tuple[str, ...]
    url: str | None = None
    header_keys: tuple[str, ...]
    timeout: float
    disabled: bool


@attrs.frozen(kw_only=True)
class McpRegistryEntry:
    name: str
    description: str
    required_env: tuple[str, ...] = ()
    optional_env: tuple[str, ...] = ()
    connected: bool


@attrs.frozen(kw_only=True)
class McpApproved:
    approved: tuple[str, ...]
