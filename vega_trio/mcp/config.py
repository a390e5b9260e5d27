"""What a server is: how it is reached, what it is given, how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import attrs

from vega_trio._core.redact import shown_url
from vega_trio.dsl.words import SERVER_NAME
from vega_trio.errors import ConfigError
from vega_trio.headers import HEADER_NAME, breaks_line
from vega_trio.model_call import TOOL_TIMEOUT_S

Transport = Literal["stdio", "http", "sse"]

START_S: Final = 15.0  # from the start of a server until its tools are known
INHERITED: Final = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ")
"""What a server's environment has of ours, because programs do not start without; all else is declared or not there."""


def _no_nul(texts: tuple[str, ...], where: str) -> None:
    if any("\0" in text for text in texts):
        raise ConfigError(f"{where}: a NUL character cannot be passed to a program; remove it")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken IPv6 address, a port that is none
        return False


@attrs.frozen(kw_only=True)
class ServerConfig:
    """A server. `command` is program and arguments, for stdio; `url` is for the others.

    `env` is added to the few variables of `INHERITED`. `timeout_s` bounds a call, `start_s` start and handshake.
    """

    name: str
    transport: Transport = "stdio"
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    cwd: Path | None = None
    url: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    timeout_s: float = TOOL_TIMEOUT_S
    start_s: float = START_S

    def __attrs_post_init__(self) -> None:
        check_server_name(self.name)
        where = f"MCP server {self.name!r}"
        if self.timeout_s <= 0:
            raise ConfigError(f"{where}: the timeout must be more than 0 seconds, not {self.timeout_s!r}")
        for what in (self.env, self.headers):
            if odd := [key for key, value in what.items() if not isinstance(key, str) or not isinstance(value, str)]:
                raise ConfigError(f"{where}: the value of {odd[0]!r} is no text; quote it")
        match self.transport:
            case "stdio":
                self._check_command(where)
            case "http" | "sse":
                self._check_url(where)
            case other:
                raise ConfigError(f"{where}: the transport is stdio, http or sse, not {other!r}")

    def _check_command(self, where: str) -> None:
        if not self.command or not self.command[0]:
            raise ConfigError(f"{where} has no command; name the program that is the server, or a url")
        _no_nul((*self.command, *self.env, *self.env.values()), where)
        wrong = [name for name in self.env if not name or "=" in name]
        if wrong:
            raise ConfigError(f"{where}: {wrong[0]!r} is no name of an environment variable")

    def _check_url(self, where: str) -> None:
        if not _is_address(self.url or ""):
            raise ConfigError(
                f"{where}: {shown_url(self.url or '')!r} is no address; write such as https://example.com/mcp"
            )
        for name, value in self.headers.items():
            if not HEADER_NAME.fullmatch(name) or breaks_line(value):
                raise ConfigError(f"{where}: the header {name!r} cannot be sent; no line breaks, and a plain name")


def check_server_name(name: str) -> str:
    """Raises: ConfigError for a name that could not stand before `__` in the name of a tool."""
    if not SERVER_NAME.fullmatch(name):
        raise ConfigError(
            f"MCP server name {name!r} must be at most 63 letters, digits, '-', '.' or single '_', "
            "with a letter or digit first"
        )
    return name


def environment(config: ServerConfig, host: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the server's program. `host` is ours."""
    return {name: host[name] for name in INHERITED if name in host} | dict(config.env)


def config_row(config: ServerConfig) -> dict[str, Any]:
    """As JSON, to be kept."""
    row = attrs.asdict(config, filter=lambda field, _: field.name != "start_s")
    return {**row, "command": list(config.command), "cwd": str(config.cwd) if config.cwd is not None else None}


def config_of(row: Mapping[str, Any]) -> ServerConfig:
    """The inverse of `config_row`. Raises: ConfigError."""
    cwd = row["cwd"]
    fields = {**row, "command": tuple(row["command"]), "cwd": Path(cwd) if cwd is not None else None}
    return ServerConfig(**fields)
