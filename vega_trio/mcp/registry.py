"""Well-known servers by name. A document names one and adds arguments and variables; what runs is what stands here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class RegistryEntry:
    """A well-known server. `command` needs npx (Node) or uvx (uv) on the machine and fetches the server once."""

    name: str
    description: str
    command: tuple[str, ...]
    required_env: tuple[str, ...] = ()
    optional_env: tuple[str, ...] = ()


def _npm(package: str) -> tuple[str, ...]:
    return ("npx", "-y", package)


_ENTRIES = (
    RegistryEntry(
        name="filesystem",
        description="Files of the directories given as args: read, write, search.",
        command=_npm("@modelcontextprotocol/server-filesystem"),
    ),
    RegistryEntry(
        name="memory",
        description="A knowledge graph that lasts: entities, relations, observations.",
        command=_npm("@modelcontextprotocol/server-memory"),
        optional_env=("MEMORY_FILE_PATH",),
    ),
    RegistryEntry(
        name="everything",
        description="One of each feature of the protocol, for trying a client out.",
        command=_npm("@modelcontextprotocol/server-everything"),
    ),
    RegistryEntry(
        name="sequential-thinking",
        description="A scratchpad for thinking in steps that can be revised.",
        command=_npm("@modelcontextprotocol/server-sequential-thinking"),
    ),
    RegistryEntry(
        name="github",
        description="Repositories, issues and pull requests on GitHub.",
        command=_npm("@modelcontextprotocol/server-github"),
        required_env=("GITHUB_PERSONAL_ACCESS_TOKEN",),
    ),
    RegistryEntry(
        name="playwright",
        description="A web browser: open pages, click, read.",
        command=_npm("@playwright/mcp"),
    ),
    RegistryEntry(name="fetch", description="Web pages as text.", command=("uvx", "mcp-server-fetch")),
    RegistryEntry(
        name="git", description="A Git repository: status, diff, log, commit.", command=("uvx", "mcp-server-git")
    ),
    RegistryEntry(name="time", description="The time now and in other time zones.", command=("uvx", "mcp-server-time")),
    RegistryEntry(
        name="sqlite", description="A SQLite database: query and change it.", command=("uvx", "mcp-server-sqlite")
    ),
)

REGISTRY: Final[Mapping[str, RegistryEntry]] = {entry.name: entry for entry in _ENTRIES}
