"""An answer as it grows: written by who listens to the turn, read by who shows it."""

from __future__ import annotations

import attrs
import trio

from vega_trio.events import (
    ApprovalAwaited,
    ApprovalRequested,
    ApprovalResolved,
    Event,
    MessageReset,
    ProcessCompleted,
    ProcessFailed,
    TextDelta,
    TurnFailure,
    TurnFinished,
    TurnStopped,
)
from vega_trio.telegram import words


@attrs.define
class Draft:
    """`asks` are the questions of open requests for an approval, `settled` what became of them, by their ids."""

    turn_id: str
    text: str = ""
    failed: bool = False
    over: trio.Event = attrs.field(factory=trio.Event)
    news: trio.Event = attrs.field(factory=trio.Event)
    asks: dict[str, str] = attrs.field(factory=dict)
    settled: dict[str, str] = attrs.field(factory=dict)

    def take(self, event: Event) -> None:
        """An event of the root turn. Delegates' text is not shown, their requests are."""
        match event:
            case ApprovalRequested() | ApprovalAwaited():
                self.ask(event.approval_id, event.agent or "", event)
            case ApprovalResolved():
                self.settled[event.approval_id] = event.status
            case ProcessFailed(final=True) | ProcessCompleted():
                self.fail(words.LOST)
            case _ if event.turn_id == self.turn_id:
                self._own(event)
        self.news.set()

    def _own(self, event: Event) -> None:
        match event:
            case TextDelta(delta=delta):
                self.text += delta
            case MessageReset(text=text):
                self.text = text
            case TurnFinished(text=text):
                self.finish(text)
            case TurnStopped(text=text):
                self.finish(f"{text}\n\n{words.STOPPED}")
            case TurnFailure(error_class=error_class):
                self.fail(words.failure(error_class))

    def ask(self, approval_id: str, agent: str, about: ApprovalRequested | ApprovalAwaited) -> None:
        self.asks[approval_id] = words.question(agent, about.tool_name, about.arguments, about.reason)

    def finish(self, text: str) -> None:
        if not self.over.is_set():
            self.text = text
            self._end()

    def fail(self, why: str) -> None:
        if not self.over.is_set():
            self.text, self.failed = f"{self.text}\n\n{why}".strip(), True
            self._end()

    def _end(self) -> None:
        self.over.set()
        self.news.set()
