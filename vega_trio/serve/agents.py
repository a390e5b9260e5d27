"""Agents: who can be talked to."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import attrs
from quart import Request, Response

from vega_trio.agent import Budget
from vega_trio.app.agents import AgentInfo
from vega_trio.app.application import App
from vega_trio.checks import LONGEST_NAME, is_unreadable
from vega_trio.errors import ConfigError, DocumentError
from vega_trio.serve.desk import Desk, Route, json_answer, object_of, user_of
from vega_trio.serve.models.agents import (
    AgentChange,
    AgentDetail,
    AgentEntry,
    AgentGone,
    AgentMade,
    NewAgent,
    SupervisionEntry,
    ToolEntry,
)
from vega_trio.serve.models.common import BudgetEntry
from vega_trio.serve.problems import Problem, Refused, bad_value

SYSTEM_BYTES = 500  # of the prompt, in the list


async def every(desk: Desk, request: Request) -> Response:
    """Who can be talked to."""
    at_work = _at_work(desk.app, user_of(request))
    return json_answer(desk, [_entry(info, at_work.get(info.agent.name)) for info in desk.app.agents()])


async def one(desk: Desk, request: Request, name: str) -> Response:
    """An agent's whole definition."""
    info = desk.app.agent(name)
    return json_answer(desk, _detail(info, desk.app, _at_work(desk.app, user_of(request)).get(name)))


async def template(desk: Desk, request: Request, name: str) -> Response:
    """A composed agent as a YAML document, to be put into a file."""
    answer = Response(desk.app.composer.template(name), 200, content_type="application/yaml; charset=utf-8")
    answer.headers["content-disposition"] = 'attachment; filename="agent.vega.yaml"'
    return answer


async def create(desk: Desk, request: Request) -> Response:
    """Composes an agent: any key of an agent, and `persona` and a list of `skills` as short forms."""
    body = await object_of(desk, request)
    name = _name(body.pop("name", None))
    info = await _composed(desk.app.composer.create(name, _keys(body, name)))
    return json_answer(desk, AgentMade(name=name, model=info.model, tools=info.tools), 201)


async def update(desk: Desk, request: Request, name: str) -> Response:
    """Changes what is given; `name` renames, null takes a key away. What was said stays."""
    body = await object_of(desk, request)
    new_name = _name(body.pop("name")) if "name" in body else None
    info = await _composed(desk.app.composer.update(name, _short_forms(body), new_name))
    work = _at_work(desk.app, user_of(request)).get(info.agent.name)
    made = AgentMade(
        name=info.agent.name, model=info.model, tools=info.tools, process_id=work.process_id if work else None
    )
    return json_answer(desk, made)


async def delete(desk: Desk, request: Request, name: str) -> Response:
    """Ends an agent's processes and forgets it; one of a document is back after a restart."""
    until = await desk.app.composer.delete(name)
    return json_answer(desk, AgentGone(status="deleted", name=name, until=until))


async def _composed(work: Awaitable[AgentInfo]) -> AgentInfo:
    """What a body says of an agent is the request's fault when it is wrong. Raises: Refused."""
    try:
        return await work
    except DocumentError as error:
        first = error.diagnostics[0]
        field, hint = first.path.rpartition(".")[2], first.hint or "correct the agent's keys"
        problem = Problem(400, "bad_agent", first.message, hint, field=field, diagnostics=error.diagnostics)
        raise Refused(problem) from error
    except ConfigError as error:
        raise Refused(Problem(400, "bad_agent", str(error), "GET /api/tools lists the tools")) from error


def _name(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST_NAME or is_unreadable(text):
        raise bad_value("name", f"'name' must be 1 to {LONGEST_NAME} characters without / : {{ }}, not {value!r:.60}")
    return text


def _keys(body: dict[str, Any], name: str) -> dict[str, Any]:
    keys = {key: value for key, value in _short_forms(body).items() if value is not None}
    keys.setdefault("system", f"You are {name}, a helpful assistant.")
    return keys


def _short_forms(body: dict[str, Any]) -> dict[str, Any]:
    """`persona` is how an agent is, before what it is to do; a list of skills is those that it has."""
    keys = dict(body)
    persona = keys.pop("persona", None)
    if persona is not None:
        keys["system"] = f"{persona}\n\n{keys['system']}" if keys.get("system") else persona
    if isinstance(keys.get("skills"), list):
        keys["skills"] = {"include": keys["skills"]}
    return keys


@attrs.frozen
class _Work:
    """What the caller's current session with an agent is doing."""

    process_id: str
    status: str
    streaming: bool
    spent_usd: float


def _at_work(app: App, caller: str) -> dict[str, _Work]:
    """By agent, the newest living process of a session with the caller."""
    found: dict[str, _Work] = {}
    for process in sorted(app.orch.processes(), key=lambda process: process.started_at):
        session = process.session
        if session is not None and session.user == caller and process.alive:
            spent = process.row().cost_microusd / 1_000_000
            found[session.agent] = _Work(process.id, process.status, process.current is not None, spent)
    return found


def _entry(info: AgentInfo, work: _Work | None) -> AgentEntry:
    agent = info.agent
    return AgentEntry(
        name=agent.name,
        model=info.model,
        system=_beginning(info.system),
        tools=info.tools,
        team=info.team,
        process_id=work.process_id if work else None,
        process_status=work.status if work else None,
        source=info.source,
        display_name=agent.display_name,
        description=agent.description,
        streaming=work is not None and work.streaming,
        budget=_budget(info.agent.budget, work),
    )


def _budget(budget: Budget | None, work: _Work | None) -> BudgetEntry | None:
    if budget is None:
        return None
    return BudgetEntry(limit_usd=float(budget.limit_usd), spent_usd=work.spent_usd if work else 0.0)


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
        system=info.system,
        tools=tuple(ToolEntry(name=name, origin=app.tool_list.origin(name)) for name in info.tools),
        team=info.team,
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


def _beginning(text: str) -> str:
    """The first bytes of the text, cut between two characters."""
    return text.encode()[:SYSTEM_BYTES].decode(errors="ignore")


ROUTES = (
    Route("GET", "/api/agents", every, answer=list[AgentEntry]),
    Route("POST", "/api/agents", create, body=NewAgent, answer=AgentMade, status=201),
    Route("GET", "/api/agents/<name>", one, answer=AgentDetail),
    Route("GET", "/api/agents/<name>/template", template),
    Route("PUT", "/api/agents/<name>", update, body=AgentChange, answer=AgentMade),
    Route("DELETE", "/api/agents/<name>", delete, answer=AgentGone),
)
