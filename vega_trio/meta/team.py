"""Teams: a leader hands work to its members by the tool `delegate`.

Rules.
1. The work is a child process of the leader's, spawned with it as its task: it ends with the leader's incarnation, is
   stopped with the leader's turn, and is charged to the leader's budgets. It keeps its own tools.
2. Who waits for a delegate is not to be asked by it: a cycle is an error at once, not a deadlock.
3. Delegates of delegates go as deep as the first one who delegated allows.
4. A delegate's turn that fails is the leader's tool error; a delegate that crashes is restarted by its own policy.
5. A piece of work has the budget and the time that the leader's `delegation` gives it, restarts and kills included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import attrs
import trio

from vega_trio._core.delegation import delegated_task
from vega_trio.agent import Agent, Budget
from vega_trio.changes import MessageRow
from vega_trio.context import ToolContext
from vega_trio.dsl.document import DelegationDefinition
from vega_trio.errors import ProcessCrashed, ToolError, TurnFailed, UnknownAgent, UnknownProcess, did_you_mean
from vega_trio.exits import Crashed, ExitReason
from vega_trio.messages import ToolOutput
from vega_trio.protocols import Tool, ToolSpec
from vega_trio.runtime.process import Process
from vega_trio.session import Reply
from vega_trio.supervision import Strategy, Supervision
from vega_trio.tools.toolbox import as_tool, tool

MEMBERS = "the member's name, of: "
"""How the description of `delegate`'s parameter `agent` begins; the members' names follow."""
REASON = "delegated by "
"""How the spawn reason of a delegate begins; the leader's name follows."""


@attrs.frozen(kw_only=True)
class Team:
    """A leader and who works for it. `budget` is for each piece of work that is handed out."""

    leader: str
    members: tuple[str, ...]
    how: DelegationDefinition = attrs.field(factory=DelegationDefinition)
    budget: Budget | None = None


@attrs.frozen
class Teams:
    """The teams of an application, by leader. `agent` gives a member's blueprint (UnknownAgent: it is gone);
    `purpose` what it is for; `tools_of` what a member has for its work in a team, besides its own.
    """

    agent: Callable[[str], Agent]
    tools_of: Callable[[Team, str], tuple[Tool, ...]]
    by_leader: dict[str, Team] = attrs.field(factory=dict)

    def join(self, team: Team) -> tuple[Tool, ...]:
        """Records a team, or its change, and gives the leader's tools."""
        self.by_leader[team.leader] = team
        return (_delegate_tool(self, team), *self.tools_of(team, team.leader))

    def leave(self, leader: str) -> None:
        """The agent leads no team any more."""
        self.by_leader.pop(leader, None)


@attrs.frozen
class Described:
    """A tool under a description of its own."""

    tool: Tool
    spec: ToolSpec

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str | ToolOutput:
        return await self.tool.call(arguments, context)


def team_prompt(team: Team, purposes: Mapping[str, str]) -> str:
    """What the leader is told of its members."""
    lines = [f"- {name}: {purposes.get(name) or 'no description'}" for name in team.members]
    head = "# Your team\nHand work to these agents with the tool `delegate`; each call names one of them and its task."
    return "\n".join([head, *lines])


def _delegate_tool(teams: Teams, team: Team) -> Tool:
    made = as_tool(tool(timeout=None, idempotent=True)(partial(delegate, teams, team)))
    told = {"type": "string", "description": f"{MEMBERS}{', '.join(team.members)}"}
    properties = {**made.spec.parameters["properties"], "agent": told}
    return Described(made, attrs.evolve(made.spec, parameters={**made.spec.parameters, "properties": properties}))


async def delegate(teams: Teams, team: Team, context: ToolContext, agent: str, message: str) -> str:
    """Hand a task to a member of your team and get its answer. Several calls at once are worked on side by side.

    Args:
        agent: the member's name
        message: the task, with everything the member has to know
    """
    process = context.process
    assert isinstance(process, Process)
    _check(teams, team, process, agent)
    try:
        blueprint = _equipped(teams, team, agent)
    except UnknownAgent as error:
        raise ToolError(f"{agent!r} is on your team and is not there any more; do it yourself") from error
    text = delegated_task(
        message,
        asker=team.leader,
        history=process.messages(),
        window=team.how.context_window,
        roles=team.how.include_roles,
    )
    try:
        answer = await _done(process, team, blueprint, text, context.idempotency_key)
    except ProcessCrashed as crash:
        raise ToolError(f"{agent!r} could not do it: {_why(crash)}") from crash
    if answer is None:
        raise ToolError(f"{agent!r} was stopped before it had an answer")
    return answer


async def _done(leader: Process, team: Team, member: Agent, task: str, key: str) -> str | None:
    """The answer of a child that does the task; None when it was stopped.

    The child's id follows from the call's key: a call that a crash has made again finds the child that it had begun,
    still at work or done, and no work is done twice. Raises: ProcessCrashed.
    """
    child_id = sha256(key.encode()).hexdigest()[:12] if key else None
    before = await leader.kernel.store.process(child_id) if child_id is not None else None
    child = _living(leader, child_id)
    if child is not None:
        return await _joined(child)
    if before is not None and (before.status, before.exit_reason) == ("completed", "normal"):
        return said_last(await leader.kernel.store.messages(before.id))
    reason, limit_s = REASON + team.leader, team.how.timeout_s
    spawning = leader.spawn(member, task=task, spawn_reason=reason, budget=team.budget, deadline=limit_s)
    if before is None or leader.kernel.recovered.get(before.id) is not None:
        spawning.id = child_id
    async with spawning as child:
        await child.wait()
    return child.result.text if isinstance(child.result, Reply) else None


def _living(near: Process, process_id: str | None) -> Process | None:
    try:
        found = near.kernel.registry.get(process_id) if process_id is not None else None
    except UnknownProcess:
        return None
    return found if found is not None and found.alive else None


async def _joined(child: Process) -> str | None:
    """As a spawned one: it ends with who waits for it. Raises: ProcessCrashed."""
    try:
        reason = await child.wait()
    finally:
        with trio.CancelScope(shield=True):
            await child.keeper.stop()
    if reason.abnormal:
        raise ProcessCrashed(child.id, reason)
    return child.result.text if isinstance(child.result, Reply) else None


def said_last(rows: Sequence[MessageRow]) -> str:
    """All that the assistant said in the last turn."""
    last = rows[-1].turn_id if rows else ""
    return "".join(row.message.text for row in rows if row.turn_id == last and row.message.role == "assistant")


def _check(teams: Teams, team: Team, process: Process, agent: str) -> None:
    if agent not in team.members:
        hint = did_you_mean(agent, team.members)
        raise ToolError(f"{agent!r} is not on your team{hint}; it has {', '.join(team.members)}")
    waiting = waiting_for(process)
    if any(each.agent_name == agent for each in waiting):
        raise ToolError(f"{agent!r} waits for this very work and cannot take a part of it; do it yourself")
    first = teams.by_leader.get(waiting[-1].agent_name or "", team)
    if len(waiting) > first.how.max_depth:
        raise ToolError(
            f"the work was handed on {len(waiting) - 1} times already, and {first.leader!r} allows "
            f"{first.how.max_depth}; do it yourself"
        )


def waiting_for(process: Process) -> list[Process]:
    """Who waits for what this process does: itself, who delegated to it, and so on up to the first."""
    chain = [process]
    while (chain[-1].spawn_reason or "").startswith(REASON) and chain[-1].parent_id is not None:
        try:
            chain.append(process.kernel.registry.get(chain[-1].parent_id))
        except UnknownProcess:
            break
    return chain


def _equipped(teams: Teams, team: Team, name: str) -> Agent:
    """The member's blueprint with its part of the blackboard, restarted when it crashes but not when a turn fails."""
    agent = teams.agent(name)
    more = tuple(each for each in teams.tools_of(team, name) if each.spec.name not in _names(agent))
    policy = agent.supervision or Supervision()
    decided = attrs.evolve(policy, on_failure=partial(_unless_failed, policy.on_failure))
    return attrs.evolve(agent, tools=(*agent.tools, *more), supervision=decided)


def _names(agent: Agent) -> set[str]:
    return {each.spec.name if isinstance(each, Tool) else str(each) for each in agent.tools}


def _unless_failed(ask: Callable[[ExitReason], Strategy | None] | None, reason: ExitReason) -> Strategy | None:
    if isinstance(reason, Crashed) and isinstance(reason.error, TurnFailed):
        return Strategy.STOP
    return ask(reason) if ask is not None else None


def _why(crash: ProcessCrashed) -> str:
    error: BaseException = crash
    while error.__cause__ is not None and not isinstance(error, TurnFailed):
        error = error.__cause__
    return str(error) or type(error).__name__
