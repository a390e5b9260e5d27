"""What one run of a workflow needs of its surroundings, and the processes of the agents that it talks to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, Final, Protocol

import attrs

from vega_trio._core.budget import Account, accounts, charged_only_to
from vega_trio.agent import Agent
from vega_trio.changes import Change, ProcessRow
from vega_trio.dsl.effects import Ask, Note, StepFailed
from vega_trio.engine.replay import Record
from vega_trio.messages import Message
from vega_trio.protocols import Store
from vega_trio.runtime.process import Process

_RUN: Final = re.compile("run ([0-9a-f]{12})")


def run_reason(run_id: str) -> str:
    """The spawn reason of a run's processes."""
    return f"run {run_id}"


def run_of(spawn_reason: str | None) -> str | None:
    """The id of the run that a process belongs to. A program's own reason may begin with the same word."""
    found = _RUN.fullmatch(spawn_reason or "")
    return found and found[1]


class Memory(Protocol):
    """What `remember` and `recall` work on: JSON values by key, durable when a call returns. Raises: StoreError."""

    async def keep(self, key: str, value: object) -> None: ...

    async def forget(self, key: str) -> None: ...

    async def find(self, key: str) -> list[Any]:
        """The value, or nothing."""
        ...


@attrs.define(kw_only=True)
class Drive:
    """What one run needs of its surroundings, and the agents it talks to.

    `agents` finds a blueprint by name. A conversation, named by the interpreter, has one child process per agent,
    started when first asked; `spent` is told what each ask cost, in micro-dollars, failed ones included; `noted` is
    told what happens and gives what is to be written with the event of it. `memory` is what the document's workflows
    remember. `leaving` says whether the program is being stopped: then the turns under way are left for its next
    start.
    """

    run_id: str
    process: Process
    agents: Callable[[str], Agent]
    env: Mapping[str, str]
    wall_clock: Callable[[], float]
    new_uuid: Callable[[], str]
    rand: Callable[[], float]
    spent: Callable[[int], None]
    leaving: Callable[[], bool]
    record: Record
    store: Store
    memory: Memory
    accounts: tuple[Account, ...] = attrs.field(factory=accounts, init=False)
    noted: Callable[[Note], tuple[Change, ...]]
    _children: dict[str, dict[str, Process]] = attrs.field(factory=dict, init=False)
    _sources: dict[str, str] = attrs.field(factory=dict, init=False)

    async def child(self, conversation: str, agent: str) -> Process:
        """The process that this conversation has with an agent; one that ended comes back with its history."""
        children = self._children.setdefault(conversation, {})
        child = children.get(agent)
        if child is None or not child.alive:
            history = await self._history(conversation, agent) if child is None else ()
            row = child.row() if child is not None else None
            children[agent] = child = await self.spawn(agent, self._child_id(conversation, agent), history, row)
        return child

    async def spawn(
        self, agent: str, process_id: str, history: tuple[Message, ...], row: ProcessRow | None = None
    ) -> Process:
        """A child that the run pays for; a step's own budget comes with the step's mail, and ends with it.

        Raises: StepFailed when the process was given up after too many crashes of the program.
        """
        if row is None and self.record.resumed:
            row = await self.store.process(process_id)
            if row is not None and row.status == "failed":
                raise StepFailed(f"process {process_id} has failed: {row.exit_reason}", "agent_crashed", code="R008")
        with charged_only_to(self.accounts):
            spawning = self.process.spawn(self.agents(agent), spawn_reason=run_reason(self.run_id), messages=history)
            spawning.id, spawning.row = process_id, row
            return await spawning

    def _child_id(self, conversation: str, agent: str, once: str = "") -> str:
        """The same after a crash of the program, so that what the process has done is found again."""
        return sha256(f"{self.run_id}\0{conversation}\0{agent}\0{once}".encode()).hexdigest()[:16]

    async def _history(self, conversation: str, agent: str) -> tuple[Message, ...]:
        """What was said with an agent in a conversation, or in those that it is a copy of."""
        child = self._children.get(conversation, {}).get(agent)
        if child is not None:
            return tuple(child.messages())
        if self.record.resumed:
            stored = await self.store.messages(self._child_id(conversation, agent))
            if stored:
                return tuple(row.message for row in stored)
        source = self._sources.get(conversation)
        return await self._history(source, agent) if source is not None else ()

    @asynccontextmanager
    async def asked(self, ask: Ask, key: str) -> AsyncIterator[Process]:
        """The process to ask. One that is only for this ask ends with it."""
        if ask.kept and not ask.fresh:
            yield await self.child(ask.conversation, ask.agent)
            return
        history = () if ask.fresh else await self._history(ask.conversation, ask.agent)
        child = await self.spawn(ask.agent, self._child_id(ask.conversation, ask.agent, key), history)
        try:
            yield child
        finally:
            child.exit()

    async def spent_on(self, ask: Ask, key: str) -> int:
        """What an earlier program spent on a question, in all its attempts; in micro-dollars."""
        kept = ask.kept and not ask.fresh
        spent, attempt = 0, key
        for number in range(2, (ask.retry.max_attempts if ask.retry is not None else 1) + 2):
            process_id = self._child_id(ask.conversation, ask.agent, "" if kept else attempt)
            spent += sum(op.cost_microusd for op in await self.store.ops(process_id, turn_id=attempt))
            attempt = f"{key}/{number}"
        return spent

    def left_of(self, key: str, seconds: float) -> float:
        """How much is left of a time limit that may have begun in an earlier program."""
        now = self.wall_clock()
        return max(0.0, seconds - max(0.0, now - self.record.begun_at(key, now)))

    def copy(self, source: str, target: str) -> None:
        """Conversation `target` begins as `source` is now. Nothing is said in the source while the copy lives."""
        self._sources[target] = source

    def end(self, conversation: str) -> None:
        """The exchanges of a conversation end with it."""
        self._sources.pop(conversation, None)
        for child in self._children.pop(conversation, {}).values():
            child.exit()
