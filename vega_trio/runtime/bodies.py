"""What the kernel runs: a function of a process. An agent is made into one by whoever opens the kernel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from vega_trio.messages import Message

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


class Conversation(Protocol):
    """What an agent body keeps in `Process.conversation`. `weight` is the memory that it takes, in bytes, about."""

    weight: int

    def messages(self) -> list[Message]: ...


AgentBody = Callable[["Process"], Awaitable[object]]
