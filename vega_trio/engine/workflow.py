"""Drives a workflow: carries out what the interpreter asks for and sends the answers back in.

The interpreter is a pure generator; here its asks become mail to child processes, its forks a nursery, its time
limits cancel scopes. A failure goes back in by `throw`, a cancellation by `close`.

What the world answered is recorded under the path that asked, before the workflow goes on (`replay.py`). A run that
a killed program left behind is driven from its start again: what is recorded is answered from the record, so that
no agent is asked twice, and the first thing that is not goes out under the key that it had before.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, assert_never

import trio

from vega_trio._core.backoff import delay
from vega_trio._core.budget import Account, charged_to
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
from vega_trio.dsl.values import UNDEFINED
from vega_trio.engine.drive import Drive
from vega_trio.errors import FailedToStart, ProcessExited, StoreError, TurnCancelled, TurnFailed
from vega_trio.events import StepFinished, StepStarted
from vega_trio.session import ErrorClass, Reply

Steps = Generator[Effect, Any, Any]

STEP_CLASS = {
    ErrorClass.CONTEXT_OVERFLOW: "invalid_request",
    ErrorClass.REFUSAL: "invalid_request",
    ErrorClass.INTERRUPTED: "agent_crashed",
}
"""Failure classes of a turn that the language calls by another name."""


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
            return await run.record.once(effect.path, partial(_ask, effect, run), spent=run.spent)
        case Fork():
            return await _fork(effect, run)
        case Within(timeout_s=timeout_s, body=body):
            return await _within(effect.path, timeout_s, body, run)
        case Read(what="now" | "random"):
            return run.record.once_read(effect.path, lambda: _read(effect, run))
        case Read():
            return _read(effect, run)  # may be a secret, which has no place in the record
        case Note():
            _note(effect, run)
            return None
        case Remember():
            await run.record.once_done(effect.path, partial(_remember, effect, run))
            return None
        case Recall():
            found = await run.record.once_done(effect.path, partial(_recall, effect, run))
            return found["recalled"][0] if found["recalled"] else UNDEFINED
    assert_never(effect)


async def _within(path: str, timeout_s: float, body: Steps, run: Drive) -> object:
    """A limit goes on over a crash of the program; one that was reached before it is reached at once."""
    key = run.record.next_key(path)
    if not run.record.timed_out(key):
        with trio.move_on_after(run.left_of(key, timeout_s)):
            return await drive(body, run)
        run.record.put_timeout(key)
    body.close()
    raise StepTimeout(timeout_s)


async def _ask(ask: Ask, run: Drive, key: str) -> AskReply:
    """The agent's reply, asked again as the step's `retry` says, all within the step's budget."""
    budget = ask.budget
    label = f"step {ask.path}"
    limits = []
    if budget is not None:
        spent = await run.spent_on(ask, key) if run.record.resumed else 0
        limits = [Account(label, budget.limit_microusd, budget.on_exceed, spent)]
    attempt = 1
    with charged_to(limits):
        while True:
            try:
                return await _ask_once(ask, run, key if attempt == 1 else f"{key}/{attempt}")
            except StepFailed as failure:
                retry = ask.retry
                if retry is None or attempt >= retry.max_attempts or failure.error_class not in retry.retry_on:
                    raise
            await trio.sleep(delay(retry.backoff, attempt, run.rand()))
            attempt += 1


async def _ask_once(ask: Ask, run: Drive, key: str) -> AskReply:
    """One turn of the agent, named by `key`. Leaving early, by time limit or cancellation, stops the turn.

    Asked again after a crash of the program, it is the same turn that goes on.
    """
    started = trio.current_time()
    limit_s = float("inf") if ask.timeout_s is None else run.left_of(f"{key}@", ask.timeout_s)
    try:
        async with run.asked(ask, key) as child:
            cost_before = child.metrics.cost_microusd
            pending = child.start_send(ask.message, turn_id=key, tools=ask.tools)
            try:
                with trio.move_on_after(limit_s):
                    reply: Reply = await pending.wait()
                    return AskReply(reply.text, reply.cost_usd, round((trio.current_time() - started) * 1000))
            finally:
                if not run.leaving():
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


async def _remember(effect: Remember, run: Drive) -> Mapping[str, Any]:
    try:
        if effect.value is None:
            await run.memory.forget(effect.key)
        else:
            await run.memory.keep(effect.key, effect.value)
    except StoreError as error:
        raise StepFailed(f"{effect.key!r} could not be kept: {error}") from error
    return {"kept": True}


async def _recall(effect: Recall, run: Drive) -> Mapping[str, Any]:
    try:
        return {"recalled": await run.memory.find(effect.key)}
    except StoreError as error:
        raise StepFailed(f"{effect.key!r} could not be recalled: {error}") from error


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
    if run.record.is_told(note):
        return
    changes = run.noted(note)
    match note.what:
        case "started":
            title = note.title or note.agent
            run.process.emit(StepStarted(run_id=run.run_id, path=note.path, kind=note.kind, title=title), *changes)
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
            run.process.emit(event, *changes)
        case "pass":
            pass  # the steps of the pass speak for it
        case _:
            assert_never(note.what)
