"""MCP servers as supervised processes: one incarnation is one connection, a lost one a crash, and backoff follows."""

from __future__ import annotations

from typing import Any, Final

from vega_trio.agent import BackoffConfig, ChildSpec, Restart, SupervisorSpec
from vega_trio.mcp.source import McpSource
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.supervisor import Supervisor

SUPERVISOR: Final = "mcp"
SHUTDOWN_S: Final = 4.5  # all of them stop side by side, and all is to be down within five
STEADY_S: Final = 60.0  # a connection that held this long starts the backoff anew
# The source itself waits longer before a server that keeps failing, and can be woken by a call; a supervisor cannot.
_BACKOFF: Final = BackoffConfig(initial=0.1, max=1.0, jitter=0.1)


async def supervise_servers(orch: Orchestrator) -> Supervisor:
    """The supervisor of all servers. Nothing that a server does makes it give up."""
    spec = SupervisorSpec(dynamic=True, max_restarts=None, window=STEADY_S, backoff=_BACKOFF)
    return await orch.supervise(spec, name=SUPERVISOR, fatal=False)


async def start_server(supervisor: Supervisor, source: McpSource) -> None:
    """Returns at once; `source.ready()` waits for what comes of it."""

    async def connection(_: Any) -> None:
        await source.run()

    source.started()
    spec = ChildSpec(
        source.name,
        connection,
        restart=Restart.PERMANENT,
        shutdown=SHUTDOWN_S,
        name=f"{SUPERVISOR}:{source.name}",
    )
    await supervisor.start_child(spec)


async def stop_server(supervisor: Supervisor, source: McpSource) -> None:
    """Returns when its processes are gone."""
    source.stopped()
    if any(child.id == source.name for child in supervisor.which_children()):
        await supervisor.terminate_child(source.name)
        await supervisor.delete_child(source.name)
