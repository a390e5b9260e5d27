"""A turn's events as the chat stream shows them (API section 5). Pure: events in, frames' contents out.

Version 1 knows five types and is what the first clients speak:

    text          text_delta
    tools         tool_start, tool_end
    a reset       text_delta "\\n\\n" if text was shown since the start or the last reset, then the text so far
    the end       error when the turn failed, then done

Version 2 says everything: queued, turn_start, tool_progress, retry, restart, message_reset, approval_required,
approval_resolved, and a done that carries the figures. Work that another agent does within the turn is marked
`nested_agent`; version 1 leaves it out, so that its deltas stay the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import attrs

from vega_trio.events import (
    ApprovalAwaited,
    ApprovalRequested,
    ApprovalResolved,
    Event,
    LlmRetry,
    MessageReset,
    ProcessRestarted,
    ProcessRestarting,
    TextDelta,
    ThinkingDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnFailure,
    TurnFinished,
    TurnResumed,
    TurnStarted,
    TurnStopped,
)
from vega_trio.serve.sse import frame, to_json

Version = Literal[1, 2]
Payload = dict[str, Any]

STOP_REASONS = frozenset({"end_turn", "cancelled", "error", "max_iterations", "refusal", "doom_loop"})


@attrs.frozen
class Queued:
    """The message waits behind others; with `position` 1 it is the next."""

    position: int


@attrs.frozen
class Lost:
    """The turn can no longer be followed: its process has ended, or it has said too much."""

    error: str
    code: str


def sse_frame(payload: Payload, frame_id: str) -> bytes:
    """A frame of the chat stream."""
    return frame(payload["type"], to_json(payload), frame_id)


@attrs.define
class Translator:
    """One stream's state. Frames are numbered from `count` + 1; those up to `after` the client has already.
    `render` writes a frame with its content and id.

    `_shown` is whether text was shown since the start or the last reset; `_ended` after done.
    """

    turn_id: str
    session_id: str
    version: Version = 1
    after: int = 0
    count: int = 0
    render: Callable[[Payload, str], bytes] = sse_frame
    _shown: bool = attrs.field(init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _restarting: ProcessRestarting | None = attrs.field(default=None, init=False)
    _told_incarnation: int = attrs.field(default=1, init=False)
    _paths: dict[str | None, str] = attrs.field(factory=dict, init=False)

    @_shown.default
    def _shown_before(self) -> bool:
        """Numbering that begins above what the client has means an earlier program, which had begun to answer."""
        return 0 < self.after < self.count

    @property
    def ended(self) -> bool:
        return self._ended

    def frames(self, event: Event | Queued | Lost) -> bytes:
        """The frames of one event, ready to be sent; empty when the version does not show it."""
        out = []
        for payload in self.payloads(event):
            self.count += 1
            if self.count > self.after:
                out.append(self.render(payload, f"{self.turn_id}:{self.count}"))
        return b"".join(out)

    def text(self, merged: TextDelta, deltas: int) -> bytes:
        """As `frames`, for several deltas in one: the frame has the number of the last of them."""
        before = self.count
        for payload in self.payloads(merged):
            self.count = before + deltas
            return self.render(payload, f"{self.turn_id}:{self.count}")
        return b""

    def known(self, head: TextDelta, deltas: int) -> int:
        """How many of the next deltas the client has already; they count as shown."""
        if self.version == 1 and self._is_nested(head):
            return 0
        known = min(deltas, max(0, self.after - self.count))
        self.count += known
        self._shown = self._shown or (known > 0 and not self._is_nested(head))
        return known

    def _is_nested(self, event: Event) -> bool:
        return event.turn_id is not None and event.turn_id != self.turn_id

    def payloads(self, event: Event | Queued | Lost) -> list[Payload]:
        """The contents of the event's frames; `type` is the first key of each."""
        match event:
            case Queued(position=position):
                return [{"type": "queued", "position": position}] if self.version == 2 else []
            case Lost(error=error, code=code):
                return self._failed(error, code, "error")
            case _:
                return self._nested(event) if self._is_nested(event) else self._own(event)

    def _own(self, event: Event) -> list[Payload]:
        match event:
            case TextDelta(delta=delta):
                return self._text(delta)
            case ToolStart() | ToolEnd():
                return [_tool(event) | (_images(event) if self.version == 2 else {})]
            case MessageReset(text=text):
                return self._reset(text)
            case TurnFinished() | TurnFailure() | TurnStopped():
                return self._end(event)
            case _:
                return self._aside(event) if self.version == 2 else []

    def _text(self, delta: str) -> list[Payload]:
        if not delta:
            return []
        self._shown = True
        return [{"type": "text_delta", "delta": delta}]

    def _reset(self, text: str) -> list[Payload]:
        shown, self._shown = self._shown, bool(text)
        if self.version == 2:
            return [{"type": "message_reset", "text": text}]
        parts = (["\n\n"] if shown else []) + ([text] if text else [])
        return [{"type": "text_delta", "delta": part} for part in parts]

    def _nested(self, event: Event) -> list[Payload]:
        if self.version == 1:
            return []
        mark = {"nested_agent": self._paths.get(event.turn_id) or event.agent or ""}
        match event:
            case TurnStarted(path=path):
                self._paths[event.turn_id] = path
                return []
            case TextDelta(delta=delta) if delta:
                return [{"type": "text_delta", "delta": delta, **mark}]
            case ToolStart() | ToolEnd():
                return [_tool(event) | _images(event) | mark]
            case ToolProgress():
                return [_progress(event) | mark]
            case ApprovalRequested() | ApprovalAwaited() | ApprovalResolved():
                return [_approval(event) | mark]
            case _:
                return []

    def _aside(self, event: Event) -> list[Payload]:
        """What only version 2 tells: where the turn runs, and that it was taken up again after a crash."""
        match event:
            case TurnStarted():
                start = {"type": "turn_start", "turn_id": self.turn_id, "process_id": event.process_id}
                return [start | {"session_id": self.session_id, "model": event.model}]
            case ThinkingDelta(delta=delta):
                return [{"type": "thinking_delta", "delta": delta}] if delta else []
            case ToolProgress():
                return [_progress(event)]
            case LlmRetry():
                why = {"type": "retry", "class": event.error_class, "attempt": event.attempt}
                return [why | {"max_attempts": event.max_attempts, "delay_ms": event.delay_ms}]
            case ApprovalRequested() | ApprovalAwaited() | ApprovalResolved():
                return [_approval(event)]
            case ProcessRestarting():
                self._restarting = event
                return []
            case ProcessRestarted() | TurnResumed():
                return self._restart(event)
            case _:
                return []

    def _restart(self, event: Event) -> list[Payload]:
        incarnation = event.incarnation or self._told_incarnation + 1
        if incarnation <= self._told_incarnation:
            return []
        self._told_incarnation = incarnation
        out: Payload = {"type": "restart", "incarnation": incarnation}
        why = self._restarting
        if why is not None:
            out |= {"reason": why.reason, "restarts": why.attempt, "max_restarts": why.max}
        else:
            out |= {"reason": "", "restarts": incarnation - 1, "max_restarts": None}
        return [out]

    def _end(self, event: TurnFinished | TurnFailure | TurnStopped) -> list[Payload]:
        match event:
            case TurnFinished():
                reason = event.stop_reason if event.stop_reason in STOP_REASONS else "end_turn"
                return self._done(reason, message=True, metrics=metrics(event))
            case TurnFailure():
                refused = event.error_class == "refusal"
                return self._failed(event.error, event.error_class, "refusal" if refused else event.stop_reason)
            case TurnStopped():
                return self._done("cancelled", message=bool(event.text))

    def _failed(self, error: str, code: str, stop_reason: str) -> list[Payload]:
        shown: Payload = {"type": "error", "error": error}
        if self.version == 2:
            shown["code"] = code
        return [shown, *self._done(stop_reason)]

    def _done(self, stop_reason: str, *, message: bool = False, metrics: Payload | None = None) -> list[Payload]:
        self._ended = True
        out: Payload = {"type": "done"}
        if self.version == 2:
            out |= {"stop_reason": stop_reason, "turn_id": self.turn_id}
            if message:
                out["message_id"] = message_id(self.turn_id)
            if metrics is not None:
                out["metrics"] = metrics
        return [out]


def metrics(event: TurnFinished) -> Payload:
    """A turn's figures; `cost_usd` is null when no price is known."""
    return {
        "input_tokens": event.input_tokens,
        "output_tokens": event.output_tokens,
        "cost_usd": event.cost_usd,
        "duration_ms": event.duration_ms,
    }


def message_id(turn_id: str) -> str:
    """The id under which the transcript lists the turn's answer."""
    return f"{turn_id}:assistant"


def _tool(event: ToolStart | ToolEnd) -> Payload:
    match event:
        case ToolStart():
            start: Payload = {"type": "tool_start", "tool_call_id": event.tool_call_id, "tool_name": event.tool_name}
            return start | {"arguments": event.arguments}
        case ToolEnd():
            end: Payload = {"type": "tool_end", "tool_call_id": event.tool_call_id, "tool_name": event.tool_name}
            return end | {"result": event.result, "duration_ms": event.duration_ms}


def _images(event: ToolStart | ToolEnd) -> Payload:
    """What only version 2 tells of a call."""
    return {"images": list(event.images)} if isinstance(event, ToolEnd) and event.images else {}


def _progress(event: ToolProgress) -> Payload:
    out: Payload = {"type": "tool_progress", "tool_call_id": event.tool_call_id, "tool_name": event.tool_name}
    return out | {"progress": event.progress, "total": event.total, "message": event.message}


def _approval(event: ApprovalRequested | ApprovalAwaited | ApprovalResolved) -> Payload:
    match event:
        case ApprovalResolved():
            out: Payload = {"type": "approval_resolved", "approval_id": event.approval_id, "decision": event.decision}
            return out | {"tool_call_id": event.tool_call_id, "tool_name": event.tool_name, "status": event.status}
        case _:
            need: Payload = {"type": "approval_required", "approval_id": event.approval_id}
            need |= {"tool_name": event.tool_name, "arguments": event.arguments, "expires_at": event.expires_at}
            return need | {"tool_call_id": event.tool_call_id, "reason": event.reason}
