"""Drives a workflow: carries out what the interpreter asks for and sends the answers back in.

The interpreter is a pure generator; here its asks become mail to child processes, its forks a nursery, its time
limits cancel scopes. A failure goes back in by `throw`, a cancellation by `close`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, assert_never

import attrs
import trio

from vega_trio._core.backoff import delay
from vega_trio._core.budget import Account, accounts, charged_only_to, charged_to
from vega_trio.agent import Agent
from vega_trio.dsl.effects import (
    Ask,
    AskReply,
    Branch,
    Effect,
    Fork,
    Note,
    Read,
    Recall,
    Remember,
    StepFailed,
    StepTimeout,
    Within,
)
from vega_trio.errors import FailedToStart, ProcessExited, TurnCancelled, TurnFailed
from vega_trio.events import StepFinished, StepStarted
from vega_trio.messages import Message
from vega_trio.runtime.process import Process
from vega_trio.session import ErrorClass, Reply

Steps = Generator[Effect, Any, Any]

STEP_CLASS = {
    ErrorClass.CONTEXT_OVERFLOW: "invalid_request",
    ErrorClass.REFUSAL: "invalid_request",
    ErrorClass.INTERRUPTED: "agent_crashed",
}
"""Failure classes of a turn that the language calls by another name."""


@attrs.define(kw_only=True)
class Drive:
    """What one run needs of its surroundings, and the agents it talks to.

    `agents` finds a blueprint by name. A conversation, named by the interpreter, has one child process per agent,
    started when first asked; `spent` is told what each ask cost, in micro-dollars, failed ones included; `noted` what
    happens, before the events of it are.
    """

    run_id: str
    process: Process
    agents: Callable[[str], Agent]
    env: Mapping[str, str]
    wall_clock: Callable[[], float]
    new_uuid: Callable[[], str]
    rand: Callable[[], float]
    spent: Callable[[int], None]
    accounts: tuple[Account, ...] = attrs.field(factory=accounts, init=False)
    _children: dict[str, dict[str, Process]] = attrs.field(factory=dict)
    _copies: dict[str, dict[str, tuple[Message, ...]]] = attrs.field(factory=dict)
    noted: Callable[[Note], None] = lambda note: None

    async def child(self, conversation: str, agent: str) -> Process:
        """The process that this conversation has with an agent; one that ended is followed up with its history."""
        children = self._children.setdefault(conversation, {})
        child = children.get(agent)
        if child is None or not child.alive:
            history = self._history(conversation, agent)
            children[agent] = child = await self.spawn(agent, history)
        return child

    async def spawn(self, agent: str, history: tuple[Message, ...]) -> Process:
        """A child that the run pays for; a step's own budget comes with the step's mail, and ends with it."""
        with charged_only_to(self.accounts):
            return await self.process.spawn(self.agents(agent), spawn_reason=f"run {self.run_id}", messages=history)

    def _history(self, conversation: str, agent: str) -> tuple[Message, ...]:
        child = self._children.get(conversation, {}).get(agent)
        if child is not None:
            return tuple(child.messages())
        return self._copies.get(conversation, {}).get(agent, ())

    @asynccontextmanager
    async def asked(self, ask: Ask) -> AsyncIterator[Process]:
        """The process to ask. One that is only for this ask ends with it."""
        if ask.kept and not ask.fresh:
            yield await self.child(ask.conversation, ask.agent)
            return
        history = () if ask.fresh else self._history(ask.conversation, ask.agent)
        child = await self.spawn(ask.agent, history)
        try:
            yield child
        finally:
            child.exit()

    def copy(self, source: str, target: str) -> None:
        """Conversation `target` begins as `source` is now."""
        agents = {*self._copies.get(source, {}), *self._children.get(source, {})}
        self._copies[target] = {agent: self._history(source, agent) for agent in agents}

    def end(self, conversation: str) -> None:
        """The exchanges of a conversation end with it."""
        self._copies.pop(conversation, None)
        for child in self._children.pop(conversation, {}).values():
            child.exit()


async def drive(steps: Steps, run: Drive) -> Any:
    """Runs a generator of effects to its end and returns what it returns.

    Raises: StepFailed, uncaught by the workflow.
    """
    try:
        effect = next(steps)
        while True:
            try:
                answer = await _carry_out(effect, run)
            except StepFailed as failure:
                effect = steps.throw(failure)
            else:
                effect = steps.send(answer)
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


async def _carry_out(effect: Effect, run: Drive) -> object:
    match effect:
        case Ask():
            return await _ask(effect, run)
        case Fork():
            return await _fork(effect, run)
        case Within(timeout_s=timeout_s, body=body):
            with trio.move_on_after(timeout_s):
                return await drive(body, run)
            raise StepTimeout(timeout_s)
        case Read():
            return _read(effect, run)
        case Note():
            _note(effect, run)
            return None
        case Remember() | Recall():
            raise StepFailed("remember and recall are not supported yet", "invalid_request")
    assert_never(effect)


async def _ask(ask: Ask, run: Drive) -> AskReply:
    """The agent's reply, asked again as the step's `retry` says, all within the step's budget."""
    budget = ask.budget
    label = f"step {ask.path}"
    limits = [] if budget is None else [Account(label, budget.limit_microusd, budget.on_exceed)]
    attempt = 1
    with charged_to(limits):
        while True:
            try:
                return await _ask_once(ask, run)
            except StepFailed as failure:
                retry = ask.retry
                if retry is None or attempt >= retry.max_attempts or failure.error_class not in retry.retry_on:
                    raise
            await trio.sleep(delay(retry.backoff, attempt, run.rand()))
            attempt += 1


async def _ask_once(ask: Ask, run: Drive) -> AskReply:
    """One turn of the agent. Leaving early, by time limit or cancellation, stops the turn."""
    started = trio.current_time()
    try:
        async with run.asked(ask) as child:
            cost_before = child.metrics.cost_microusd
            pending = child.start_send(ask.message)
            try:
                with trio.move_on_after(ask.timeout_s if ask.timeout_s is not None else float("inf")):
                    reply: Reply = await pending.wait()
                    return AskReply(reply.text, reply.cost_usd, round((trio.current_time() - started) * 1000))
            finally:
                pending.cancel()
                run.spent(child.metrics.cost_microusd - cost_before)
    except TurnFailed as failed:
        error_class = STEP_CLASS.get(failed.error_class, failed.error_class.value)
        code = "R005" if failed.error_class is ErrorClass.BUDGET_EXCEEDED else "R008"
        raise StepFailed(str(failed), error_class, code=code) from failed
    except (ProcessExited, FailedToStart) as ended:
        raise StepFailed(str(ended), "agent_crashed", code="R008") from ended
    except TurnCancelled as stopped:
        raise StepFailed(str(stopped), "agent_crashed", code="R008") from stopped
    assert ask.timeout_s is not None
    raise StepTimeout(ask.timeout_s)


async def _fork(fork: Fork, run: Drive) -> list[object]:
    """Branches side by side; the first failure cancels the others and is the fork's."""
    results: list[object] = [None] * len(fork.branches)
    room = trio.CapacityLimiter(fork.limit or max(1, len(fork.branches)))
    for branch in fork.branches:
        run.copy(fork.conversation, branch.conversation)
    failure: StepFailed | None = None
    try:
        async with trio.open_nursery() as nursery:
            for at, branch in enumerate(fork.branches):
                nursery.start_soon(partial(_branch, branch, run, room, results, at))
    except* StepFailed as failures:
        failure = _first(failures)
    finally:
        for branch in fork.branches:
            branch.body.close()
            run.end(branch.conversation)
    if failure is not None:
        raise failure
    return results


async def _branch(branch: Branch, run: Drive, room: trio.CapacityLimiter, results: list[object], at: int) -> None:
    async with room:
        results[at] = await drive(branch.body, run)


def _first(failures: BaseExceptionGroup[StepFailed]) -> StepFailed:
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, StepFailed)
    return error


def _read(read: Read, run: Drive) -> str | None:
    match read.what:
        case "now":
            return datetime.fromtimestamp(run.wall_clock()).astimezone().isoformat()
        case "random":
            return run.new_uuid()
        case "run_id":
            return run.run_id
        case "env":
            return run.env.get(read.name)
    assert_never(read.what)


def _note(note: Note, run: Drive) -> None:
    run.noted(note)
    match note.what:
        case "started":
            title = note.title or note.agent
            run.process.emit(StepStarted(run_id=run.run_id, path=note.path, kind=note.kind, title=title))
        case "finished" | "skipped":
            status = "skipped" if note.what == "skipped" else note.status or "completed"
            event = StepFinished(
                run_id=run.run_id,
                path=note.path,
                kind=note.kind,
                status=status,
                cost_usd=note.cost_usd,
                duration_ms=note.duration_ms,
                error=note.error,
            )
            run.process.emit(event)
        case "pass":
            pass  # the steps of the pass speak for it
        case _:
            assert_never(note.what)
