"""A turn as AG-UI shows it (protocol 1.0, https://docs.ag-ui.com/concepts/events). Pure: events in, frames out.

It is made of version 2 of the chat stream (`translate.py`):

    the run        RUN_STARTED first; RUN_FINISHED or RUN_ERROR last, with nothing left open
    text           TEXT_MESSAGE_*; thinking REASONING_*; calls TOOL_CALL_* (`agui_messages.py`)
    a reset        CUSTOM vega.message_reset names the messages whose text is void, and MESSAGES_SNAPSHOT takes it back:
                   the client's own messages and those of this run that stand
    other agents   a step (STEP_*) while one works for this turn; what it says and calls is CUSTOM, so that the run's
                   messages stay the answer
    all else       CUSTOM vega.TYPE with the fields of version 2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.events import TURN_ENDS, Event, TextDelta, TurnStarted
from vega_trio.serve.agui_messages import Messages, Shown
from vega_trio.serve.sse import data_frame, to_json
from vega_trio.serve.translate import Lost, Payload, Queued, Translator

PROTOCOL_VERSION = "1.0"


@attrs.frozen(kw_only=True)
class Run:
    """What the client has sent: its ids, its messages, and the names of fields that had something and are not used."""

    thread_id: str
    run_id: str
    parent_run_id: str | None = None
    messages: tuple[Mapping[str, Any], ...] = ()
    unused: tuple[str, ...] = ()


@attrs.define(eq=False)
class AguiTranslator:
    """One stream's state. `_steps` holds the name of the step that each nested turn under way is."""

    run: Run
    _chat: Translator
    _messages: Messages = attrs.field(init=False)
    _steps: dict[str, str] = attrs.field(factory=dict, init=False)
    _begun: bool = attrs.field(default=False, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    @_messages.default
    def _no_messages(self) -> Messages:
        return Messages(self._chat.turn_id)

    def frames(self, event: Event | Queued | Lost) -> bytes:
        """The frames of one event, ready to be sent."""
        at = 0.0 if isinstance(event, Queued | Lost) else event.at
        return b"".join(data_frame(to_json(_stamped(each, at))) for each in self.events(event))

    def text(self, merged: TextDelta, deltas: int) -> bytes:
        """As `frames`, for several deltas in one."""
        return self.frames(merged)

    def known(self, head: TextDelta, deltas: int) -> int:
        """A run is watched from its beginning: a client has none of it."""
        return 0

    def events(self, event: Event | Queued | Lost) -> list[Shown]:
        """What an event is in the protocol."""
        out = [] if self._begun else self._begin()
        out += self._step(event)
        for payload in self._chat.payloads(event):
            out += self._shown(payload)
        return out

    def _begin(self) -> list[Shown]:
        self._begun = True
        start: Shown = {"type": "RUN_STARTED", "threadId": self.run.thread_id, "runId": self.run.run_id}
        start["protocolVersion"] = PROTOCOL_VERSION
        if self.run.parent_run_id is not None:
            start["parentRunId"] = self.run.parent_run_id
        unused = [_custom("unused_input", {"fields": list(self.run.unused)})] if self.run.unused else []
        return [start, *unused]

    def _step(self, event: Event | Queued | Lost) -> list[Shown]:
        """The beginning and the end of another agent's work."""
        match event:
            case TurnStarted(turn_id=str(turn_id)) if turn_id != self._chat.turn_id and turn_id not in self._steps:
                name = self._steps[turn_id] = self._step_name(event.path or event.agent or "agent")
                return [{"type": "STEP_STARTED", "stepName": name}]
            case Event(turn_id=str(turn_id)) if isinstance(event, TURN_ENDS) and turn_id in self._steps:
                return [{"type": "STEP_FINISHED", "stepName": self._steps.pop(turn_id)}]
            case _:
                return []

    def _step_name(self, agent: str) -> str:
        """The agent, numbered where several turns of it go on side by side."""
        number, name = 1, agent
        while name in self._steps.values():
            number += 1
            name = f"{agent} ({number})"
        return name

    def _shown(self, payload: Payload) -> list[Shown]:
        match payload:
            case {"nested_agent": _, "type": kind}:
                return [_custom(kind, payload)]
            case {"type": "text_delta", "delta": delta}:
                return self._messages.say(delta)
            case {"type": "thinking_delta", "delta": delta}:
                return self._messages.think(delta)
            case {"type": "tool_start", "tool_call_id": call_id, "tool_name": name, "arguments": arguments}:
                return self._messages.call(call_id, name, arguments)
            case {"type": "tool_end"}:
                return self._result(payload)
            case {"type": "message_reset", "text": text}:
                return self._reset(text)
            case {"type": "error", "error": error, "code": code}:
                return self._end({"type": "RUN_ERROR", "message": error, "code": code})
            case {"type": "done"}:
                return [] if self._ended else self._end(self._finished(payload))
            case {"type": kind}:
                return [_custom(kind, self._with_call(payload))]
        return []

    def _with_call(self, payload: Payload) -> Payload:
        """The call by the id under which this run shows it."""
        call_id = payload.get("tool_call_id")
        return payload if call_id is None else payload | {"tool_call_id": self._messages.shown_call(call_id)}

    def _result(self, payload: Payload) -> list[Shown]:
        images = [_custom("tool_images", self._with_call(_without(payload, "result")))] if "images" in payload else []
        result = self._messages.result(payload["tool_call_id"], payload["result"])
        return [_custom("tool_end", payload)] if result is None else [*result, *images]

    def _reset(self, text: str) -> list[Shown]:
        out, void, again = self._messages.reset(text)
        out.append(_custom("message_reset", {"text": text, "message_ids": void}))
        if void:
            messages = [*self.run.messages, *self._messages.shown()]
            out.append({"type": "MESSAGES_SNAPSHOT", "messages": messages})
        return out + (self._messages.say(again) if again else [])

    def _finished(self, done: Payload) -> Shown:
        out: Shown = {"type": "RUN_FINISHED", "threadId": self.run.thread_id, "runId": self.run.run_id}
        if done["stop_reason"] == "cancelled":
            out["outcome"] = {"type": "cancelled"}
        return out | {"result": _without(done, "type")}

    def _end(self, last: Shown) -> list[Shown]:
        """Closes whatever is open, and says the last word."""
        self._ended = True
        steps = [{"type": "STEP_FINISHED", "stepName": name} for name in self._steps.values()]
        self._steps.clear()
        return [*self._messages.close(), *steps, last]


def _custom(kind: str, payload: Payload) -> Shown:
    return {"type": "CUSTOM", "name": f"vega.{kind}", "value": _without(payload, "type")}


def _without(payload: Payload, name: str) -> Payload:
    return {key: value for key, value in payload.items() if key != name}


def _stamped(event: Shown, at: float) -> Shown:
    """With its time in Unix milliseconds, where it is known."""
    return event | {"timestamp": int(at * 1000)} if at else event
