"""What is known of a turn while it runs; only the process's own task changes it. How a turn goes is in `turn.py`."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context
from typing import Any

import attrs
import trio

from vega_trio._core.patterns import fits
from vega_trio.agent import Agent
from vega_trio.changes import Change, Together
from vega_trio.engine.conversation import Conversation
from vega_trio.engine.equipment import Equipment
from vega_trio.engine.journal import model_key, tool_key
from vega_trio.events import Event
from vega_trio.messages import ToolCall, Usage
from vega_trio.protocols import Commit, Tool
from vega_trio.runtime.process import Process
from vega_trio.runtime.voice import put, sign, stamps_of


@attrs.define
class Turn:
    """The state of one turn. `text` is what finished steps said; `partial` what the running step has said, `quiet`
    while that is not for others.

    `origin` is the context in which the message was sent. `retries` counts how often in a row each tool asked for
    better arguments.

    `unsaved` are facts that go with the next durable event; `owed` are the commits of those that went. `narrowed` are
    the tools that may be called in it, by names and patterns; None leaves all that the agent has. `remembered` is what
    it is told of the user.
    """

    process: Process
    agent: Agent
    equipment: Equipment
    conversation: Conversation
    id: str
    root_id: str
    sender_id: str | None = None
    text: str = ""
    partial: str = ""
    quiet: bool = False
    usage: Usage = attrs.field(factory=Usage)
    cost_microusd: int | None = 0
    calls: list[ToolCall] = attrs.field(factory=list)
    retries: dict[str, int] = attrs.field(factory=dict)
    started: float = attrs.field(factory=trio.current_time)
    scope: trio.CancelScope | None = None
    unsaved: list[Change] = attrs.field(factory=list)
    owed: list[Commit] = attrs.field(factory=list)
    narrowed: tuple[str, ...] | None = None
    origin: Context | None = None
    remembered: str = ""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What may be called in this turn, by name."""
        tools, narrowed = self.equipment.tools, self.narrowed
        return tools if narrowed is None else {name: tool for name, tool in tools.items() if fits(name, narrowed)}

    @property
    def system(self) -> str:
        """The prompt for the message with which the turn began, with what is remembered of the user."""
        system = self.agent.system
        if not isinstance(system, str):
            asked = next((each.text for each in self.conversation.of_turn(self.id) if each.role == "user"), "")
            system = system.prompt(asked)
        return f"{system}\n\n{self.remembered}" if self.remembered else system

    @property
    def stopping(self) -> bool:
        """Whether the turn was told to stop, as against a process that dies under it."""
        return self.scope is not None and self.scope.cancel_called

    def emit(self, event: type[Event], /, **fields: Any) -> None:
        """Puts an event on the bus; a durable one takes what is unsaved along, in its transaction."""
        if not event.DURABLE and not self.process.kernel.bus.is_heard:
            sign(self.process)
            return
        header = stamps_of(self.process, self.process.current)
        header["turn_id"], header["root_turn_id"] = self.id, self.root_id
        stamped = event(**header, **fields)
        if not event.DURABLE:
            put(self.process, stamped, ())
            return
        changes, self.unsaved = self.unsaved, []
        commit = put(self.process, stamped, tuple(changes))
        if commit is not None and changes:
            self.owed.append(commit)

    async def saved(self) -> None:
        """Returns when all facts so far are durable. Raises: StoreError."""
        changes, self.unsaved = self.unsaved, []
        owed, self.owed = self.owed, []
        if changes:
            owed.append(self.conversation.store.submit(Together(tuple(changes))))
        for commit in owed:
            if not commit.done or commit.error is not None:  # in memory it is done at once: no need to let others run
                await commit.wait()

    @property
    def model_key(self) -> str:
        """The key of the next model call."""
        return model_key(self.id, self.conversation.steps_of(self.id))

    def tool_key(self, call: ToolCall) -> str:
        """The key of a call that the last reply makes."""
        return tool_key(self.id, self.conversation.steps_of(self.id) - 1, call.id)

    @property
    def duration_ms(self) -> int:
        return round((trio.current_time() - self.started) * 1000)
