"""The answer of chat completions: bytes of its event stream into model events."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from vega_trio._core.classify import classify, read_error
from vega_trio._core.sse import EventTooLong, ServerSentEvent, SseDecoder
from vega_trio.errors import ModelError
from vega_trio.messages import ToolCall, Usage
from vega_trio.protocols import ModelDone, ModelEvent, TextChunk, ThinkingChunk
from vega_trio.session import ErrorClass

STOP_REASONS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Function(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct, frozen=True):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None  # vLLM, llama.cpp, DeepSeek
    reasoning: str | None = None  # Ollama, OpenRouter
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_CHUNK: Final = msgspec.json.Decoder(_Chunk)


@attrs.define
class _OpenCall:
    id: str = ""
    name: str = ""
    json: list[str] = attrs.field(factory=list)


@attrs.define
class ChatDecoder:
    """One answer. `feed` gives text, and the tool calls once the finish reason has come; `done` ends it.

    `source` names the server in errors; `guess` is what the usage is taken for where a server does not count. Servers
    differ in how they end: by `[DONE]`, or by the end of the body alone; without a finish reason it is a failure.
    A tool call whose arguments the token limit cut short is dropped, as the stop reason says.
    """

    source: str
    guess: Usage = attrs.field(factory=Usage)
    done: ModelDone | None = attrs.field(default=None, init=False)
    _sse: SseDecoder = attrs.field(factory=SseDecoder, init=False)
    _calls: dict[int, _OpenCall] = attrs.field(factory=dict, init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)
    _letters: int = attrs.field(default=0, init=False)
    _finish_reason: str = attrs.field(default="", init=False)
    _refused: bool = attrs.field(default=False, init=False)
    _called: bool = attrs.field(default=False, init=False)

    def feed(self, chunk: bytes) -> list[ModelEvent]:
        """Raises: ModelError."""
        try:
            return [event for each in self._sse.feed(chunk) for event in self._events(each)]
        except (msgspec.DecodeError, EventTooLong, UnicodeDecodeError) as error:
            raise self._garbled(f"an event that cannot be read ({error})") from error

    def end(self) -> None:
        """The body has ended. Raises: ModelError when the answer had not."""
        if not self._finish_reason:
            raise self._garbled("an answer that ended before it was complete")
        self._finish()

    def _events(self, raw: ServerSentEvent) -> list[ModelEvent]:
        if self.done is not None:
            return []
        if raw.data.strip() == b"[DONE]":
            self.end()
            return []
        chunk = _CHUNK.decode(raw.data)
        if chunk.error is not None:
            said = read_error({"error": chunk.error})
            text = f"{self.source} broke the answer off with {said.type or said.code or 'an error'}: {said.message}"
            raise ModelError(text, classify(200, said), status=200)
        self._count(chunk.usage)
        return [event for choice in chunk.choices[:1] for event in self._choice(choice)]

    def _choice(self, choice: _Choice) -> list[ModelEvent]:
        events: list[ModelEvent] = []
        delta = choice.delta
        if delta is not None:
            for call in delta.tool_calls or ():
                self._call(call)
            self._refused = self._refused or bool(delta.refusal)
            thought = delta.reasoning_content or delta.reasoning
            if thought:
                self._letters += len(thought.encode("utf-8", "surrogatepass"))
                events.append(ThinkingChunk(thought))
            if delta.content:
                self._letters += len(delta.content.encode("utf-8", "surrogatepass"))
                events.append(TextChunk(delta.content))
        if choice.finish_reason and not self._finish_reason:
            self._finish_reason = choice.finish_reason
            events += self._close_calls()
        return events

    def _call(self, part: _Call) -> None:
        """A piece of a call. Without an index, one with an id begins a call and one without goes on with the last."""
        index = part.index
        if index is None:
            index = len(self._calls) if part.id or not self._calls else max(self._calls)
        call = self._calls.setdefault(index, _OpenCall())
        call.id = call.id or part.id or ""
        if part.function is not None:
            call.name = call.name or part.function.name or ""
            call.json.append(part.function.arguments or "")

    def _close_calls(self) -> list[ModelEvent]:
        calls, self._calls = self._calls, {}
        return [event for _, call in sorted(calls.items()) for event in self._close(call)]

    def _close(self, call: _OpenCall) -> list[ModelEvent]:
        text = "".join(call.json)
        self._letters += len(text)
        try:
            arguments: Any = msgspec.json.decode(text.strip() or "{}")
        except msgspec.DecodeError:
            arguments = None
        if isinstance(arguments, dict) and call.name:
            self._called = True
            return [ToolCall(call.id, call.name, arguments)]
        if self._finish_reason == "length":
            return []
        raise self._garbled(f"a call of {call.name!r} with arguments that are no JSON object")

    def _finish(self) -> None:
        reason = STOP_REASONS.get(self._finish_reason, self._finish_reason)
        if self._refused:
            reason = "refusal"
        elif self._called and reason == "end_turn":  # as Ollama has it
            reason = "tool_use"
        counted = self._usage
        if counted is None:
            counted = attrs.evolve(self.guess, output_tokens=self._letters // 3 + 1)
        self.done = ModelDone(reason, counted)

    def _count(self, usage: _Usage | None) -> None:
        if usage is None or usage.prompt_tokens is None:
            return
        details = usage.prompt_tokens_details
        read = max(0, usage.prompt_tokens)
        cached = min(max(0, (details.cached_tokens if details is not None else None) or 0), read)
        self._usage = Usage(
            input_tokens=read - cached,
            output_tokens=max(0, usage.completion_tokens or 0),
            cache_read_tokens=cached,
        )

    def _garbled(self, what: str) -> ModelError:
        return ModelError(f"{self.source} sent {what}", ErrorClass.TEMPORARY)
