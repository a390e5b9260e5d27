"""The tools of an application, as they are listed: where each comes from and which agents have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

from vega_trio._core.patterns import fits
from vega_trio.app.agents import AgentInfo
from vega_trio.app.mcp import Mcp
from vega_trio.dsl.document import Document
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.protocols import Tool, ToolSpec
from vega_trio.skills.prompt import LOAD_SKILL

Origin = Literal["builtin", "document", "python", "mcp"]


@attrs.frozen(kw_only=True)
class ToolInfo:
    """A tool that agents may name. `agents` are those that have it."""

    name: str
    description: str
    origin: Origin
    agents: tuple[str, ...]
    effects: frozenset[str]
    approval: str


@attrs.define(eq=False)
class ToolList:
    """What there is to list: the tools that can be named, and those of MCP servers as they are now."""

    named: Mapping[str, Tool]
    document: Document
    mcp: Mcp

    def all(self, agents: Iterable[AgentInfo]) -> list[ToolInfo]:
        """By name."""
        holders = {info.agent.name: info.tools for info in agents}
        specs = [(tool.spec, self.origin(name)) for name, tool in self.named.items()]
        specs += [(spec, "mcp") for server in self.mcp.servers() for spec in self.mcp.specs(server.name)]
        return sorted((_info(spec, origin, holders) for spec, origin in specs), key=lambda each: each.name)

    def origin(self, name: str) -> Origin:
        """Where a tool that can be named comes from."""
        if name in self.document.tools:
            return "document"
        if name in BUILTIN_TOOLS or name == LOAD_SKILL:
            return "builtin"
        return "mcp" if self.mcp.select(name) is not None else "python"


def _info(spec: ToolSpec, origin: Origin, holders: Mapping[str, tuple[str, ...]]) -> ToolInfo:
    return ToolInfo(
        name=spec.name,
        description=spec.description,
        origin=origin,
        agents=tuple(name for name, tools in holders.items() if fits(spec.name, tools)),
        effects=spec.effects,
        approval=spec.approval,
    )
