"""From what people write about an MCP server to what it is: documents, the registry, the API, the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vega_trio.dsl.document import McpServerDefinition
from vega_trio.errors import ConfigError, did_you_mean
from vega_trio.mcp.config import CALL_S, ServerConfig, Transport
from vega_trio.mcp.registry import REGISTRY


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
    timeout_s: float = CALL_S,
    host: Mapping[str, str],
    base: Path | None = None,
) -> ServerConfig:
    """A server; without `command` and `url` the registry's of that name, with `args` behind and `env` added.

    Variables that the registry's server is known to read are passed from `host`, our environment. A command with a
    slash is relative to `base`. Raises: ConfigError.
    """
    env = dict(env or {})
    if command is None and url is None:
        words, known = _registered(name, env, host)
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


def _registered(
    name: str, env: Mapping[str, str], host: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command of a well-known server, and what it is to know of our environment. Raises: ConfigError."""
    entry = REGISTRY.get(name)
    if entry is None:
        raise ConfigError(
            f"the MCP server {name!r} has neither command nor url, and the registry does not know it"
            f"{did_you_mean(name, REGISTRY)}"
        )
    known = {key: host[key] for key in (*entry.required_env, *entry.optional_env) if host.get(key)}
    missing = [key for key in entry.required_env if not env.get(key) and key not in known]
    if missing:
        raise ConfigError(f"the MCP server {name!r} needs {missing[0]}; set it, or write it in the server's env")
    return entry.command, known
