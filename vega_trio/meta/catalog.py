"""What Mother and Hermes see of an application and may do to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs


@attrs.frozen(kw_only=True)
class Known:
    """An agent as others see it. `purpose` is its description."""

    name: str
    model: str
    tools: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    purpose: str = ""


class AgentCatalog(Protocol):
    """The agents of an application and what they can be made of. Whatever is refused is a VegaError that says why.

    `seen` is what the conversation had seen in which an agent is made or changed, as `approving` has it.
    """

    def agents(self) -> Sequence[Known]: ...
    async def create(self, name: str, keys: Mapping[str, Any], seen: frozenset[str]) -> None: ...
    async def update(self, name: str, changes: Mapping[str, Any], seen: frozenset[str]) -> None: ...
    async def delete(self, name: str) -> None: ...

    def tools(self) -> Sequence[Mapping[str, Any]]:
        """`name` and `description` of each that may be granted."""
        ...

    def running_code(self, tools: Sequence[str]) -> Sequence[str]:
        """Those among the tools that run programs: granting them is for a person to decide."""
        ...

    def outside(self, knowledge: Sequence[str]) -> Sequence[str]:
        """Those among the files that agents cannot read by themselves: handing them out is for a person to decide."""
        ...

    def skills(self) -> Sequence[Mapping[str, Any]]:
        """`name`, `description`, `tags` and `tools` of each."""
        ...

    def mcp_registry(self) -> Sequence[Mapping[str, Any]]:
        """`name`, `description` and `required_env` of each server that can be connected."""
        ...
