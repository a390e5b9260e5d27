"""Agents: who can be talked to."""

from __future__ import annotations

import attrs
from quart import Request, Response

from vega_trio.app.agents import AgentInfo
from vega_trio.app.application import App
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.serve.desk import Desk, Route, json_answer, user_of
from vega_trio.serve.models import AgentDetail, AgentEntry, SupervisionEntry, ToolEntry

SYSTEM_BYTES = 500  # of the prompt, in the list


async def every(desk: Desk, request: Request) -> Response:
    at_work = _at_work(desk.app, user_of(request))
    return json_answer(desk, [_entry(info, at_work.get(info.agent.name)) for info in desk.app.agents()])


async def one(desk: Desk, request: Request, name: str) -> Response:
    info = desk.app.agent(name)
    return json_answer(desk, _detail(info, desk.app, _at_work(desk.app, user_of(request)).get(name)))


@attrs.frozen
class _Work:
    """What the caller's current session with an agent is doing."""

    process_id: str
    status: str
    streaming: bool


def _at_work(app: App, caller: str) -> dict[str, _Work]:
    """By agent, the newest living process of a session with the caller."""
    found: dict[str, _Work] = {}
    for process in sorted(app.orch.processes(), key=lambda process: process.started_at):
        session = process.session
        if session is not None and session.user == caller and process.alive:
            found[session.agent] = _Work(process.id, process.status, process.current is not None)
    return found


def _entry(info: AgentInfo, work: _Work | None) -> AgentEntry:
    agent = info.agent
    return AgentEntry(
        name=agent.name,
        model=info.model,
        system=_beginning(agent.system),
        tools=info.tools,
        process_id=work.process_id if work else None,
        process_status=work.status if work else None,
        source=info.source,
        display_name=agent.display_name,
        description=agent.description,
        streaming=work is not None and work.streaming,
    )


def _detail(info: AgentInfo, app: App, work: _Work | None) -> AgentDetail:
    agent, policy = info.agent, info.agent.supervision
    supervision = None
    if policy is not None:
        supervision = SupervisionEntry(
            strategy=policy.strategy.value, max_restarts=policy.max_restarts, window_s=policy.window
        )
    return AgentDetail(
        name=agent.name,
        model=info.model,
        system=agent.system,
        tools=tuple(ToolEntry(name=name, origin=_origin(name, app)) for name in info.tools),
        process_id=work.process_id if work else None,
        process_status=work.status if work else None,
        source=info.source,
        display_name=agent.display_name,
        title=agent.title,
        avatar=agent.avatar,
        description=agent.description,
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
        max_iterations=agent.max_iterations,
        supervision=supervision,
        streaming=work is not None and work.streaming,
    )


def _origin(tool: str, app: App) -> str:
    if tool in app.document.tools:
        return "document"
    return "builtin" if tool in BUILTIN_TOOLS else "python"


def _beginning(text: str) -> str:
    """The first bytes of the text, cut between two characters."""
    return text.encode()[:SYSTEM_BYTES].decode(errors="ignore")


ROUTES = (Route("GET", "/api/agents", every), Route("GET", "/api/agents/<name>", one))
