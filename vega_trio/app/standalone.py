"""`vega.open_mcp`: one MCP server for a Trio program, supervised as in an application."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vega_trio._core.capping import cap
from vega_trio.app.ids import new_id
from vega_trio.app.mcp_supervision import start_server, supervise_servers
from vega_trio.errors import ConfigError, McpUnavailable, MissingExtra
from vega_trio.mcp.config import START_S, ServerConfig, Transport
from vega_trio.mcp.source import Kit, McpSource
from vega_trio.model_call import TOOL_TIMEOUT_S
from vega_trio.runtime.orchestrator import Orchestrator, open_kernel
from vega_trio.store.memory import MemoryStore
from vega_trio.tools.arguments import compile_check
from vega_trio.tools.output import shown

SIGN_IN_S = 300.0
"""A person reads a page and clicks."""

Sampler = Callable[[str, Sequence[tuple[str, str]], int], Awaitable[str]]
Asker = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


@asynccontextmanager
async def open_mcp(
    *,
    name: str,
    command: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    transport: Transport | None = None,
    timeout: float = TOOL_TIMEOUT_S,
    roots: Iterable[str | Path] = (),
    sample: Sampler | None = None,
    elicit: Asker | None = None,
    auth: Any = None,
) -> AsyncIterator[McpSource]:
    """An MCP server as a source of tools: `Agent(..., tools=[source])`. Leaving the block ends it.

    `command` is a program and its arguments, or `url` an address (`transport` "http", or "sse" for old servers).
    The program sees `env` and little else of our environment. `timeout` bounds a call, in seconds. A server that dies
    is started again, with backoff. What it may ask of us: `roots` are the directories it is told it may use,
    `sample(system, messages, max_tokens)` gives a model's answer to (role, text) pairs, `elicit(message, schema)` what
    a person fills in, None for a refusal. `auth`, an `httpx2.Auth`, signs the requests to a `url`: with the SDK's
    `mcp.client.auth.OAuthClientProvider` servers that want OAuth can be used; a person has five minutes for that.

    Raises: McpUnavailable when it cannot be connected, ConfigError, MissingExtra.
    """
    _check_way(name, command, url)
    config = ServerConfig(
        name=name,
        transport=transport or ("http" if url is not None and not command else "stdio"),
        command=tuple(command),
        env=dict(env or {}),
        cwd=Path(cwd) if cwd is not None else None,
        url=url,
        headers=dict(headers or {}),
        timeout_s=timeout,
        start_s=START_S if auth is None else SIGN_IN_S,
    )
    async with _open_bare_kernel() as orch:
        source = McpSource(config, _kit(orch, tuple(Path(root) for root in roots), sample, elicit, auth))
        await start_server(await supervise_servers(orch), source)
        try:
            await source.ready()
            if not source.connected:
                raise McpUnavailable(source.error)
            yield source
        finally:
            source.stopped()  # who still holds it is told so, and does not wait


def _check_way(name: str, command: object, url: str | None) -> None:
    """Raises: TypeError, ConfigError, MissingExtra."""
    if isinstance(command, str):
        raise TypeError(f"open_mcp: command must be a list, not the text {command!r}; write {command.split()!r}")
    if command and url is not None:
        raise ConfigError(f"MCP server {name!r} has a command and a url; give the one by which it is reached")
    if find_spec("mcp") is None:
        raise MissingExtra("mcp", "an MCP server")


def _open_bare_kernel() -> AbstractAsyncContextManager[Orchestrator]:
    """One in which only servers run."""
    return open_kernel(
        store=MemoryStore(), make_body=_no_agents, wall_clock=time.time, rand=random.random, new_id=new_id
    )


def _kit(orch: Orchestrator, roots: tuple[Path, ...], sample: Sampler | None, elicit: Asker | None, auth: Any) -> Kit:
    def peer(_: McpSource) -> Any:
        from vega_trio.mcp.peer import Peer  # the SDK is loaded by now

        return Peer(roots=roots, sample=sample, elicit=elicit, auth=auth)

    return Kit(
        host=os.environ,
        compile_check=compile_check,
        cap=cap,
        shown=shown,
        emit=orch.bus.emit,
        pinned=_not_kept,
        peer=peer,
    )


def _not_kept(_: Mapping[str, str]) -> None:
    """Pins last as long as the block."""


def _no_agents(_: object) -> Any:
    raise AssertionError("only servers run here")
