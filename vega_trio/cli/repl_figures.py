"""What the REPL tells of processes, tools and money, in lines."""

from __future__ import annotations

from collections.abc import Sequence

from vega_trio.app.application import App
from vega_trio.app.context_use import context_use
from vega_trio.changes import ProcessRow
from vega_trio.cli.progress import cut, dollars
from vega_trio.cli.terminal import safe
from vega_trio.session import Session


async def bar_text(app: App, agent: str | None, session: Session | None) -> str:
    """`Coder · demo · context 3 % · $0.0012 · restarts 0`, for the line below the prompt."""
    total = sum(row.cost_microusd for row in await app.processes()) / 1_000_000
    if agent is None:
        return f" no agent · {dollars(total)} "
    info = app.agent(agent)
    process = app.chats.sessions.living(session) if session is not None and session.id is not None else None
    used = 0.0 if process is None else context_use(process.agent, process.messages()).share
    restarts = process.incarnation - 1 if process is not None else 0
    model = process.agent.model if process is not None and process.agent is not None else None
    shown = model if isinstance(model, str) else info.model
    return safe(f" {agent} · {shown} · context {used * 100:.0f} % · {dollars(total)} · restarts {restarts} ")


def tool_lines(app: App, agent: str | None) -> list[str]:
    """The tools of the agent, or those of each."""
    infos = app.agents() if agent is None else [app.agent(agent)]
    return [f"  {info.agent.name}: {', '.join(info.tools) or 'no tools'}" for info in infos]


def tree_lines(app: App) -> list[str]:
    """Who spawned whom, the living and the past."""
    lines: list[str] = []
    todo = [(1, node) for node in reversed(app.spawn_tree())]
    while todo:
        depth, node = todo.pop()
        task = f"  {cut(node.task, 60)}" if node.task else ""
        lines.append(f"{'  ' * depth}{node.agent_name or node.process_id} ({node.status}, {node.process_id}){task}")
        todo += [(depth + 1, child) for child in reversed(node.children)]
    return lines or ["  no processes"]


def cost_lines(rows: Sequence[ProcessRow]) -> list[str]:
    """Spending by agent, the highest first, and the total."""
    spent: dict[str, int] = {}
    for row in rows:
        spent[row.agent] = spent.get(row.agent, 0) + row.cost_microusd
    ranked = sorted(spent.items(), key=lambda each: -each[1])
    total = sum(spent.values()) / 1_000_000
    lines = [f"  {agent or 'workflows'}: {dollars(cost / 1_000_000)}" for agent, cost in ranked]
    return [*lines, f"  total: {dollars(total)}"]
