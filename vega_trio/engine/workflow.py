"""Drives a workflow: answers the effects that the interpreter yields.

The interpreter is a pure generator; here its asks become mail to child processes, its forks a nursery, its time
limits cancel scopes. A failure goes back in by `throw`, a cancellation by `close`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any, assert_never

import attrs
import trio

from vega_trio.agent import Agent
from vega_trio.dsl.effects import Ask, Effect, Fork, Note, Read, StepFailed, Within
from vega_trio.errors import ProcessExited, TurnCancelled, TurnFailed
from vega_trio.events import StepFinished, StepStarted
from vega_trio.messages import Message
from vega_trio.runtime.process import Process
from vega_trio.session import Reply

Steps = Generator[Effect, Any, Any]


@attrs.define
class Conversations:
    """The agents that one line of steps talks to: one child process each, started when first asked.

    A parallel branch has its own, which begin as copies of `origin`'s.
    """

    run: Process
    agents: Callable[[str], Agent]
    origin: Mapping[str, tuple[Message, ...]] = attrs.field(factory=dict)
    children: dict[str, Process] = attrs.field(factory=dict)

    async def with_agent(self, name: str) -> Process:
        child = self.children.get(name)
        if child is None or not child.alive:
            history = tuple(child.messages()) if child is not None else self.origin.get(name, ())
            child = await self.run.spawn(self.agents(name), spawn_reason=f"step of {self.run.task}", messages=history)
            self.children[name] = child
        return child

    def copy(self) -> Conversations:
        so_far = {**self.origin, **{name: tuple(child.messages()) for name, child in self.children.items()}}
        return Conversations(self.run, self.agents, so_far)

    def end(self) -> None:
        """The exchanges of a branch end with it."""
        for child in self.children.values():
            child.exit()
