"""MCP servers: which there are, adding, changing and switching them. What is secret goes in and never comes out."""

from __future__ import annotations

from collections.abc import Mapping

from quart import Request, Response

from vega_trio._core.redact import shown_url
from vega_trio.app.mcp import McpServerInfo
from vega_trio.app.mcp_config import Wanted, change_config, is_registered, new_config
from vega_trio.errors import ConfigError
from vega_trio.serve.desk import Desk, Route, body_of, json_answer
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.mcp import (
    McpApproval,
    McpApproved,
    McpChange,
    McpConfigEntry,
    McpRegistryEntry,
    McpServerEntry,
    McpState,
    McpSwitch,
    NewMcpServer,
)
from vega_trio.serve.problems import Problem, Refused


async def every(desk: Desk, request: Request) -> Response:
    """The MCP servers, with their tools."""
    return json_answer(desk, [_entry(info) for info in desk.app.mcp.servers()])


async def registry(desk: Desk, request: Request) -> Response:
    """Servers that are known by name."""
    connected = {info.name for info in desk.app.mcp.servers() if info.connected}
    entries = [
        McpRegistryEntry(
            name=entry.name,
            description=entry.description,
            required_env=entry.required_env,
            optional_env=entry.optional_env,
            connected=entry.name in connected,
        )
        for entry in desk.app.mcp.registry()
    ]
    return json_answer(desk, entries)


async def add(desk: Desk, request: Request) -> Response:
    """Adds a server and connects it."""
    body = await body_of(desk, request, NewMcpServer)
    wanted = _wanted(body)
    if not is_registered(body.name, wanted):
        _refuse_command(desk, body.name)
    try:
        config = new_config(body.name, wanted, desk.app.mcp.env)
    except ConfigError as error:
        raise _bad(error) from error
    return json_answer(desk, _state(await desk.app.mcp.connect(config)), 201)


async def config(desk: Desk, request: Request, name: str) -> Response:
    """A server's configuration; of what is secret, only the names."""
    return json_answer(desk, _config(desk.app.mcp.server(name)))


async def configure(desk: Desk, request: Request, name: str) -> Response:
    """Changes a server's configuration and connects it anew."""
    info = desk.app.mcp.server(name)
    wanted = _wanted(await body_of(desk, request, McpChange))
    if not is_registered(name, wanted, info.config):
        _refuse_command(desk, name)
    try:
        changed = change_config(info.config, wanted)
    except ConfigError as error:
        raise _bad(error) from error
    return json_answer(desk, _config(await desk.app.mcp.configure(changed)))


async def delete(desk: Desk, request: Request, name: str) -> Response:
    """Disconnects a server and forgets it."""
    await desk.app.mcp.delete(name)
    return json_answer(desk, Status(status="deleted"))


async def refresh(desk: Desk, request: Request, name: str) -> Response:
    """Connects a server anew."""
    return json_answer(desk, _state(await desk.app.mcp.refresh(name)))


async def switch(desk: Desk, request: Request, name: str) -> Response:
    """Switches a server off or on."""
    body = await body_of(desk, request, McpSwitch)
    return json_answer(desk, _state(await desk.app.mcp.disable(name, body.disabled)))


async def approve(desk: Desk, request: Request, name: str) -> Response:
    """Takes changed definitions for good."""
    body = await body_of(desk, request, McpApproval)
    approved: list[str] = []
    for tool in body.tools or (None,):
        approved += await desk.app.mcp.approve(name, tool)
    return json_answer(desk, McpApproved(approved=tuple(approved)))


def _wanted(body: NewMcpServer | McpChange) -> Wanted:
    return Wanted(
        transport=body.transport,
        command=body.command,
        args=body.args,
        env=body.env,
        url=body.url,
        headers=body.headers,
        timeout_s=body.timeout,
    )


def _refuse_command(desk: Desk, name: str) -> None:
    """A command is a program on this machine, and a variable or an argument can make one do anything."""
    if desk.app.mcp.any_command:
        return
    text = f"the server {name!r} would run a command, or set variables, that the registry does not know of"
    hint = "start the server with --allow-mcp-commands, or write the server in the document"
    raise Refused(Problem(403, "command_not_allowed", text, hint, field="command"))


def _bad(error: ConfigError) -> Refused:
    return Refused(Problem(400, "bad_value", str(error), "GET /api/mcp/registry lists the well-known servers"))


def _entry(info: McpServerInfo) -> McpServerEntry:
    return McpServerEntry(
        name=info.name,
        connected=info.connected,
        transport=info.config.transport,
        url=info.config.url and shown_url(info.config.url),
        command=info.config.command[0] if info.config.command else None,
        tools=info.tools,
        disabled=bool(info.disabled),
        error=info.disabled or ("" if info.connected else info.error),
        restarts=info.restarts,
        changed=info.changed,
        problems=info.problems,
        source="" if info.origin == "document" else info.origin,
    )


def _state(info: McpServerInfo) -> McpState:
    return McpState(
        name=info.name,
        connected=info.connected,
        tools=info.tools,
        error="" if info.connected else info.error,
        disabled=bool(info.disabled),
    )


def _config(info: McpServerInfo) -> McpConfigEntry:
    config = info.config
    return McpConfigEntry(
        name=info.name,
        transport=config.transport,
        command=config.command[0] if config.command else None,
        args=config.command[1:],
        env_keys=_keys(config.env),
        url=config.url and shown_url(config.url),
        header_keys=_keys(config.headers),
        timeout=config.timeout_s,
        disabled=bool(info.disabled),
    )


def _keys(secrets: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(secrets))


ROUTES = (
    Route("GET", "/api/mcp/servers", every, answer=list[McpServerEntry]),
    Route("POST", "/api/mcp/servers", add, body=NewMcpServer, answer=McpState, status=201),
    Route("GET", "/api/mcp/registry", registry, answer=list[McpRegistryEntry]),
    Route("GET", "/api/mcp/servers/<name>/config", config, answer=McpConfigEntry),
    Route("PUT", "/api/mcp/servers/<name>/config", configure, body=McpChange, answer=McpConfigEntry),
    Route("DELETE", "/api/mcp/servers/<name>", delete, answer=Status),
    Route("POST", "/api/mcp/servers/<name>/refresh", refresh, answer=McpState),
    Route("PUT", "/api/mcp/servers/<name>/disable", switch, body=McpSwitch, answer=McpState),
    Route("POST", "/api/mcp/servers/<name>/approve", approve, body=McpApproval, answer=McpApproved),
)
