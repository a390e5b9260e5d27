"""The answer of the Messages API: bytes of its event stream into model events."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from vega_trio._core.classify import classify, read_error
from vega_trio._core.sse import EventTooLong, ServerSentEvent, SseDecoder
from vega_trio.errors import ModelError
from vega_trio.messages import ThinkingPart, ToolCall, Usage
from vega_trio.protocols import ModelDone, ModelEvent, TextChunk, ThinkingChunk
from vega_trio.session import ErrorClass


class _TypeOnly(msgspec.Struct, frozen=True):
    type: str = ""


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Message(msgspec.Struct, frozen=True):
    usage: _Usage | None = None


class _Block(msgspec.Struct, frozen=True):
    type: str = ""
    id: str = ""
    name: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""


class _Delta(msgspec.Struct, frozen=True):
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct, frozen=True):
    """All events in one shape: their fields do not clash, and what is unknown is passed over."""

    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)
_TYPE_ONLY: Final = msgspec.json.Decoder(_TypeOnly)
_KNOWN: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)


@attrs.define
class _OpenCall:
    id: str
    name: str
    json: list[str] = attrs.field(factory=list)


@attrs.define
class _Thought:
    text: list[str] = attrs.field(factory=list)
    signature: str = ""


@attrs.define
class MessageDecoder:
    """One answer. `feed` gives text, thinking and finished tool calls; `done` is set by `message_stop` and ends it.

    `source` names the server in errors. Events of unknown types are passed over. A tool call whose arguments
    `max_tokens` cut short is dropped, as the stop reason says.
    """

    source: str
    done: ModelDone | None = None
    _sse: SseDecoder = attrs.field(factory=SseDecoder, init=False)
    _calls: dict[int, _OpenCall] = attrs.field(factory=dict, init=False)
    _thoughts: dict[int, _Thought] = attrs.field(factory=dict, init=False)
    _broken: _OpenCall | None = attrs.field(default=None, init=False)
    _usage: Usage = attrs.field(factory=Usage, init=False)
    _stop_reason: str = attrs.field(default="", init=False)

    def feed(self, chunk: bytes) -> list[ModelEvent]:
        """Raises: ModelError."""
        try:
            found = [event for each in self._sse.feed(chunk) if (event := self._event(each)) is not None]
        except (msgspec.DecodeError, EventTooLong, UnicodeDecodeError) as error:
            raise self._garbled(f"an event that cannot be read ({error})") from error
        return found

    def end(self) -> None:
        """The body has ended, and too early: `message_stop` would have been the end. Raises: ModelError."""
        raise self._garbled("an answer that ended before it was complete")

    def _event(self, raw: ServerSentEvent) -> ModelEvent | None:
        kind = raw.event or _TYPE_ONLY.decode(raw.data).type
        if kind == "error":
            error = read_error(msgspec.json.decode(raw.data))
            text = f"{self.source} broke the answer off with {error.type or 'an error'}: {error.message}"
            raise ModelError(text, classify(200, error), status=200)
        if kind not in _KNOWN or self.done is not None:
            return None
        return self._known(kind, _EVENT.decode(raw.data))

    def _known(self, kind: str, event: _Event) -> ModelEvent | None:
        match kind:
            case "message_start" if event.message is not None:
                self._count(event.message.usage)
            case "content_block_start" if event.content_block is not None:
                return self._block(event.index, event.content_block)
            case "content_block_delta" if event.delta is not None:
                return self._delta(event.index, event.delta)
            case "content_block_stop" if event.index in self._thoughts:
                thought = self._thoughts.pop(event.index)
                return ThinkingPart("".join(thought.text), thought.signature)
            case "content_block_stop":
                return self._close_call(event.index)
            case "message_delta":
                self._count(event.usage)
                self._stop_reason = (event.delta.stop_reason if event.delta else None) or self._stop_reason
            case "message_stop":
                self._finish()
        return None

    def _block(self, index: int, block: _Block) -> ModelEvent | None:
        if block.type == "tool_use":
            if not block.id or not block.name:
                raise self._garbled("a tool call without id or name")
            self._calls[index] = _OpenCall(block.id, block.name)
        elif block.type == "thinking":
            self._thoughts[index] = _Thought([block.thinking], block.signature)
            return ThinkingChunk(block.thinking) if block.thinking else None
        elif block.type == "redacted_thinking":
            return ThinkingPart("", hidden=block.data)
        return TextChunk(block.text) if block.type == "text" and block.text else None

    def _delta(self, index: int, delta: _Delta) -> ModelEvent | None:
        thought = self._thoughts.get(index)
        if thought is not None:
            thought.text.append(delta.thinking)
            thought.signature += delta.signature
            return ThinkingChunk(delta.thinking) if delta.thinking else None
        if delta.partial_json and (call := self._calls.get(index)) is not None:
            call.json.append(delta.partial_json)
        return TextChunk(delta.text) if delta.text else None

    def _close_call(self, index: int) -> ModelEvent | None:
        call = self._calls.pop(index, None)
        if call is None:
            return None
        try:
            arguments: Any = msgspec.json.decode("".join(call.json) or "{}")
        except msgspec.DecodeError:
            arguments = None
        if isinstance(arguments, dict):
            return ToolCall(call.id, call.name, arguments)
        self._broken = call  # the stop reason, which comes later, says whether this is a fault
        return None

    def _finish(self) -> None:
        if not self._stop_reason:
            raise self._garbled("an answer without a stop reason")
        if self._broken is not None and self._stop_reason != "max_tokens":
            raise self._garbled(f"arguments for {self._broken.name!r} that are no JSON object")
        self.done = ModelDone(self._stop_reason, self._usage)

    def _count(self, usage: _Usage | None) -> None:
        """Counts are cumulative; a later event repeats only what has changed."""
        if usage is None:
            return
        said = self._usage
        self._usage = Usage(
            input_tokens=_or(usage.input_tokens, said.input_tokens),
            output_tokens=_or(usage.output_tokens, said.output_tokens),
            cache_read_tokens=_or(usage.cache_read_input_tokens, said.cache_read_tokens),
            cache_write_tokens=_or(usage.cache_creation_input_tokens, said.cache_write_tokens),
        )

    def _garbled(self, what: str) -> ModelError:
        return ModelError(f"{self.source} sent {what}", ErrorClass.TEMPORARY)


def _or(new: int | None, old: int) -> int:
    return old if new is None else max(0, new)
