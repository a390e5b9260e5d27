"""The messages that one AG-UI run makes, as its events build them. Pure.

text       one message at a time is open; thinking, a call and a result end it, so do a reset and the end of the run
a call     hangs on the message before it; its arguments are known whole, so it is ended as soon as it has begun
a result   is a message of its own
a reset    voids the text that no longer counts; what stands is told as all of the conversation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from vega_trio.serve.sse import to_json

Shown = dict[str, Any]
"""An event or a message of the protocol."""


@attrs.define(eq=False)
class Made:
    """A message, as far as it has come. `answers` is the call whose result it is."""

    id: str
    role: Literal["assistant", "reasoning", "tool"]
    text: list[str] = attrs.field(factory=list)
    calls: list[Shown] = attrs.field(factory=list)
    answers: str | None = None

    def shown(self) -> Shown:
        out: Shown = {"id": self.id, "role": self.role}
        if self.text or not self.calls:
            out["content"] = "".join(self.text)
        if self.calls:
            out["toolCalls"] = list(self.calls)
        if self.answers is not None:
            out["toolCallId"] = self.answers
        return out


@attrs.define(eq=False)
class Messages:
    """What a run has made. Ids begin with the turn's, so that none is another run's.

    `_open` is the message that the next delta goes on; `_calls` the ids under which the calls under way are shown,
    which differ from the model's where it uses one twice in a turn.
    """

    turn_id: str
    _made: list[Made] = attrs.field(factory=list, init=False)
    _open: Made | None = attrs.field(default=None, init=False)
    _calls: dict[str, str] = attrs.field(factory=dict, init=False)
    _ids: set[str] = attrs.field(factory=set, init=False)
    _count: int = attrs.field(default=0, init=False)

    def say(self, delta: str) -> list[Shown]:
        return self._add("assistant", delta)

    def think(self, delta: str) -> list[Shown]:
        return self._add("reasoning", delta)

    def _add(self, role: Literal["assistant", "reasoning"], delta: str) -> list[Shown]:
        out: list[Shown] = []
        if self._open is None or self._open.role != role:
            out += self.close()
            self._open = self._new(role)
            out += _begun(self._open)
        self._open.text.append(delta)
        kind = "TEXT_MESSAGE_CONTENT" if role == "assistant" else "REASONING_MESSAGE_CONTENT"
        return [*out, {"type": kind, "messageId": self._open.id, "delta": delta}]

    def close(self) -> list[Shown]:
        """Ends the message that is open."""
        ended, self._open = self._open, None
        match ended:
            case None:
                return []
            case Made(role="reasoning"):
                kinds = ("REASONING_MESSAGE_END", "REASONING_END")
                return [{"type": kind, "messageId": ended.id} for kind in kinds]
            case _:
                return [{"type": "TEXT_MESSAGE_END", "messageId": ended.id}]

    def call(self, call_id: str, name: str, arguments: Mapping[str, Any]) -> list[Shown]:
        """A call begins: by the message before it, or, where it is the first thing of a step, by one of its own."""
        out = self.close()
        shown_id = self._calls[call_id] = self._fresh(call_id)
        start: Shown = {"type": "TOOL_CALL_START", "toolCallId": shown_id, "toolCallName": name}
        if self._made and self._made[-1].role == "assistant":
            start["parentMessageId"] = self._made[-1].id
        else:
            self._made.append(Made(shown_id, "assistant"))
        written = to_json(arguments).decode()
        function = {"name": name, "arguments": written}
        self._made[-1].calls.append({"id": shown_id, "type": "function", "function": function})
        args = {"type": "TOOL_CALL_ARGS", "toolCallId": shown_id, "delta": written}
        return [*out, start, args, {"type": "TOOL_CALL_END", "toolCallId": shown_id}]

    def result(self, call_id: str, content: str) -> list[Shown] | None:
        """A call is answered; None for one that has not begun in this run."""
        shown_id = self._calls.pop(call_id, None)
        if shown_id is None:
            return None
        out = self.close()
        made = self._new("tool")
        made.text.append(content)
        made.answers = shown_id
        told = {"type": "TOOL_CALL_RESULT", "messageId": made.id, "toolCallId": shown_id, "content": content}
        return [*out, {**told, "role": "tool"}]

    def shown_call(self, call_id: str) -> str:
        """The id under which a call under way is shown."""
        return self._calls.get(call_id, call_id)

    def reset(self, text: str) -> tuple[list[Shown], list[str], str]:
        """The answer is `text` from now on. What ends by it, the messages whose text no longer counts, and how much of
        `text` has to be said again."""
        out = self.close()
        void: list[str] = []
        for made in [each for each in self._made if each.role == "assistant" and each.text]:
            said = "".join(made.text)
            if not void and text.startswith(said):
                text = text[len(said) :]
            else:
                void.append(made.id)
                made.text.clear()
        self._made = [each for each in self._made if each.text or each.calls or each.role == "tool"]
        while void and self._made and self._made[-1].role == "reasoning":
            self._made.pop()  # it led to what is void
        return out, void, text

    def shown(self) -> list[Shown]:
        """All that stands."""
        return [each.shown() for each in self._made]

    def _new(self, role: Literal["assistant", "reasoning", "tool"]) -> Made:
        self._count += 1
        made = Made(f"{self.turn_id}:{self._count}", role)
        self._made.append(made)
        return made

    def _fresh(self, call_id: str) -> str:
        """The id, or one that says the same and was not used yet."""
        number, fresh = 1, call_id or "call"
        while fresh in self._ids:
            number += 1
            fresh = f"{call_id or 'call'}.{number}"
        self._ids.add(fresh)
        return fresh


def _begun(made: Made) -> list[Shown]:
    if made.role == "assistant":
        return [{"type": "TEXT_MESSAGE_START", "messageId": made.id, "role": "assistant"}]
    start = {"type": "REASONING_MESSAGE_START", "messageId": made.id, "role": "reasoning"}
    return [{"type": "REASONING_START", "messageId": made.id}, start]
