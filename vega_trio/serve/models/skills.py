"""Skills and tools."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class SkillEntry:
    """A skill. `origin` is its file; an untrusted one no agent has."""

    name: str
    description: str
    origin: str
    agents: tuple[str, ...]
    tags: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    trusted: bool


@attrs.frozen(kw_only=True)
class ToolDescription:
    """A tool that agents may name. `origin`: builtin, document, python or mcp; `approval`: auto, always or never."""

    name: str
    description: str
    origin: str
    agents: tuple[str, ...]
    effects: tuple[str, ...]
    approval: str
