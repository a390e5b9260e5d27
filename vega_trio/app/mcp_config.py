"""From what people write about an MCP server to what it is: documents, the registry, the API, the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from vega_trio.dsl.document import McpServerDefinition
from vega_trio.errors import ConfigError, did_you_mean
from vega_trio.mcp.config import ServerConfig, Transport
from vega_trio.mcp.registry import REGISTRY, RegistryEntry
from vega_trio.model_call import TOOL_TIMEOUT_S


def well_known() -> list[RegistryEntry]:
    """The servers of the registry."""
    return list(REGISTRY.values())


def config_of_definition(definition: McpServerDefinition, base: Path, host: Mapping[str, str]) -> ServerConfig:
    """The server of a document; `base` is the document's directory. Raises: ConfigError."""
    return make_config(
        definition.name,
        transport=definition.transport,
        command=definition.command,
        args=definition.args,
        env=definition.env,
        cwd=base / definition.cwd if definition.cwd is not None else base,
        url=definition.url,
        headers=definition.headers,
        timeout_s=definition.timeout_s,
        host=host,
        base=base,
    )


def make_config(
    name: str,
    *,
    transport: Transport | None = None,
    command: str | None = None,
    args: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TOOL_TIMEOUT_S,
    host: Mapping[str, str],
    base: Path | None = None,
) -> ServerConfig:
    """A server; without `command` and `url` the registry's of that name, with `args` behind and `env` added.

    Variables that the registry's server is known to read are passed from `host`, our environment. A command with a
    slash is relative to `base`. Raises: ConfigError.
    """
    env = dict(env or {})
    if command is None and url is None:
        words, known = _registered(name, host)
        command, args, env = words[0], (*words[1:], *args), {**known, **env}
    elif command is not None and "/" in command and base is not None:
        command = str(base.absolute() / command)
    return ServerConfig(
        name=name,
        transport=transport or ("stdio" if url is None else "http"),
        command=() if command is None else (command, *args),
        env=env,
        cwd=cwd.absolute() if cwd is not None else None,
        url=url,
        headers=dict(headers or {}),
        timeout_s=timeout_s,
    )


def _registered(name: str, host: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command of a well-known server, and what it is to know of our environment. Raises: ConfigError."""
    entry = REGISTRY.get(name)
    if entry is None:
        raise ConfigError(
            f"the MCP server {name!r} has neither command nor url, and the registry does not know it"
            f"{did_you_mean(name, REGISTRY)}"
        )
    return entry.command, {key: host[key] for key in (*entry.required_env, *entry.optional_env) if host.get(key)}


def missing_variable(config: ServerConfig) -> str:
    """The first variable that the registry's server of that name needs and does not get; empty when there is none."""
    entry = REGISTRY.get(config.name)
    if entry is None or not _own_words(config):
        return ""
    return next((key for key in entry.required_env if not config.env.get(key)), "")


@attrs.frozen(kw_only=True)
class Wanted:
    """What somebody says over the API about a server; None is not said. A null in `env` or `headers` takes away."""

    transport: str | None = None
    command: str | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    timeout_s: float | None = None


def is_registered(name: str, wanted: Wanted, present: ServerConfig | None = None) -> bool:
    """Whether nothing is run but what the registry names, with arguments behind it and variables that it knows of.

    `present` is the configuration that is to change, None for a new one.
    """
    if wanted.command is not None:
        return False
    if present is not None and wanted.args is not None and not _own_words(present):
        return False
    entry = REGISTRY.get(name)
    known = () if entry is None else (*entry.required_env, *entry.optional_env)
    return all(key in known for key in wanted.env)


def _own_words(config: ServerConfig) -> tuple[str, ...]:
    """The part of the command that is the registry's, if it is."""
    entry = REGISTRY.get(config.name)
    words = entry.command if entry is not None else ()
    return words if config.command[: len(words)] == words else ()


def new_config(name: str, wanted: Wanted, host: Mapping[str, str]) -> ServerConfig:
    """Raises: ConfigError."""
    config = make_config(
        name,
        transport=_transport(wanted.transport),
        command=wanted.command,
        args=wanted.args or (),
        env=_merged({}, wanted.env),
        url=wanted.url,
        headers=_merged({}, wanted.headers),
        timeout_s=TOOL_TIMEOUT_S if wanted.timeout_s is None else wanted.timeout_s,
        host=host,
    )
    if missing := missing_variable(config):
        raise ConfigError(f"the MCP server {name!r} needs {missing}; set it, or write it in the server's env")
    return config


def change_config(config: ServerConfig, wanted: Wanted) -> ServerConfig:
    """The configuration with what is said. Raises: ConfigError."""
    words = (wanted.command,) if wanted.command else _own_words(config) or config.command[:1]
    args = config.command[len(words) :] if wanted.args is None else wanted.args
    return attrs.evolve(
        config,
        transport=_transport(wanted.transport) or config.transport,
        command=(*words, *args) if words else (),
        env=_merged(config.env, wanted.env),
        url=wanted.url or config.url,
        headers=_merged(config.headers, wanted.headers),
        timeout_s=config.timeout_s if wanted.timeout_s is None else wanted.timeout_s,
    )


def _transport(word: str | None) -> Transport | None:
    match word:
        case None | "stdio" | "http" | "sse":
            return word
        case _:
            raise ConfigError(f"the transport {word!r} is none; use stdio, http or sse")


def _merged(old: Mapping[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value is not None}
