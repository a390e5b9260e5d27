"""What a run has done so far, folded from its events: a tree of steps, and lines that tell it.

Pure: no terminal, no clock. Texts of steps, agents and tools are hostile and made safe here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.cli.terminal import safe
from vega_trio.events import (
    ApprovalRequested,
    Event,
    MessageReset,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
)

TAIL = 200  # characters of the running answer that are kept for display
WORDS = 100  # characters of a title, argument list or error in a line

_INDEX = re.compile(r"[/.]\d+(?=$|[.#>])|\[\d+\]$")  # the places in their lists that a step's path names


@attrs.define
class StepView:
    """One step as it is shown. `activity` is the end of what its agent is saying, or the tool it waits for."""

    path: str
    title: str
    status: str = "running"
    duration_ms: int = 0
    cost_usd: float | None = None
    error: str = ""
    activity: str = ""
    characters: int = 0
    started_at: float = 0.0

    @property
    def depth(self) -> int:
        """How many blocks and sub-workflows it stands in: `a/3` is in none, `a/3.then.0` and `a/4>b/0` are in one."""
        return max(0, len(_INDEX.findall(self.path)) - 1)

    def outcome(self) -> str:
        """`1.2 s, $0.0031`, after the word for the status where it is no success."""
        figures = [f"{self.duration_ms / 1000:.1f} s"]
        if self.cost_usd:
            figures.append(dollars(self.cost_usd))
        word = "" if self.status == "completed" else f"{self.status} in "
        return word + ", ".join(figures)


def dollars(amount: float) -> str:
    """Dollars with as many digits as a small amount needs."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def cut(text: str, length: int = WORDS) -> str:
    """The first words of a text, on one line."""
    line = " ".join(safe(text[: length * 4]).split())
    return line if len(line) <= length else line[: length - 3] + "..."


@attrs.define
class Progress:
    """The steps of one run in the order of their start. `apply` takes every event and tells what is news."""

    workflow: str = ""
    steps: dict[str, StepView] = attrs.field(factory=dict)
    ended: bool = False
    status: str = "running"
    run_id: str | None = None
    paused: bool = False

    def pause(self, on: bool) -> None:
        """Whether the display is to keep off the terminal: a question stands there."""
        self.paused = on

    def apply(self, event: Event) -> list[str]:
        """Takes an event in; returns the lines that say what has happened, without a line end."""
        match event:
            case WorkflowStarted() if self.run_id is None:
                self.run_id, self.workflow = event.run_id, cut(event.workflow)
                return [f"{self.workflow}: run {event.run_id} started"]
            case StepStarted():
                step = StepView(event.path, cut(event.title or event.kind), started_at=event.at)
                self.steps[event.path] = step
                return [self._line(step, "...")]
            case StepFinished():
                return self._finished(event)
            case TextDelta():
                self._spoken(event)
            case MessageReset():
                self._reset(event)
            case ToolStart():
                return self._tool_started(event)
            case ToolProgress():
                self._tool_came_further(event)
            case ToolEnd():
                return self._tool_ended(event)
            case ApprovalRequested():
                return [f"{safe(event.tool_name)} needs an approval: {cut(event.reason)}"]
            case WorkflowCompleted() | WorkflowFailed() | WorkflowCancelled() if event.run_id == self.run_id:
                self.ended, self.status = True, event.status
        return []

    def running(self) -> list[StepView]:
        return [step for step in self.steps.values() if step.status == "running"]

    def _line(self, step: StepView, said: str) -> str:
        return f"{'  ' * step.depth}[{safe(step.path)}] {step.title} {said}"

    def _finished(self, event: StepFinished) -> list[str]:
        step = self.steps.setdefault(event.path, StepView(event.path, event.kind))
        step.status, step.duration_ms, step.cost_usd = event.status, event.duration_ms, event.cost_usd
        step.error, step.activity = cut(event.error), ""
        failed = f": {step.error}" if step.error else ""
        return [self._line(step, f"({step.outcome()}){failed}")]

    def _asking(self, agent: str | None) -> StepView | None:
        """The running step that an agent answers: the newest whose title begins with its name, else the newest."""
        running = self.running()
        named = [step for step in running if agent and step.title.startswith(cut(agent))]
        candidates = named or running
        return candidates[-1] if candidates else None

    def _spoken(self, event: TextDelta) -> None:
        step = self._asking(event.agent)
        if step is not None:
            step.activity = (step.activity + safe(event.delta))[-TAIL:]
            step.characters += len(event.delta)

    def _reset(self, event: MessageReset) -> None:
        step = self._asking(event.agent)
        if step is not None:
            step.activity, step.characters = safe(event.text)[-TAIL:], len(event.text)

    def _tool_started(self, event: ToolStart) -> list[str]:
        step = self._asking(event.agent)
        call = tool_line(event)
        if step is None:
            return [call]
        step.activity = call
        return [self._line(step, call)]

    def _tool_came_further(self, event: ToolProgress) -> None:
        step = self._asking(event.agent)
        if step is not None:
            step.activity = progress_line(event)

    def _tool_ended(self, event: ToolEnd) -> list[str]:
        step = self._asking(event.agent)
        if step is not None:
            step.activity = ""
        return [f"{safe(event.tool_name)} failed: {cut(event.result)}"] if event.error else []


def tool_line(event: ToolStart) -> str:
    """`web_search {"query": "Go releases"}`."""
    return f"{safe(event.tool_name)} {cut(json.dumps(dict(event.arguments), ensure_ascii=False, default=str))}"


def progress_line(event: ToolProgress) -> str:
    """`build 3/10 compiling`."""
    far = f"{event.progress:g}" + (f"/{event.total:g}" if event.total is not None else "")
    return " ".join(part for part in (safe(event.tool_name), far, cut(event.message)) if part)


def progress_of(row: Mapping[str, Any], now: float) -> Progress:
    """Of a run that goes on, from its row: what an earlier program began is there, and counts on from now."""
    steps = {each["path"]: _recorded(each, now) for each in row["steps"]}
    return Progress(workflow=cut(row["workflow"]), run_id=row["run_id"], steps=steps)


def _recorded(step: Mapping[str, Any], now: float) -> StepView:
    status = "running" if step["status"] == "interrupted" else step["status"]
    return StepView(
        step["path"],
        cut(step["title"] or step["kind"]),
        status=status,
        duration_ms=step["duration_ms"] or 0,
        cost_usd=step["cost_usd"],
        error=cut(step["error"]),
        started_at=now if status == "running" else 0.0,
    )
