"""A model and a tool that follow a script, and fail the test that does not follow it."""

from __future__ import annotations

import inspect
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any

import attrs
import trio

from vega_trio.context import ToolContext
from vega_trio.messages import ThinkingPart, ToolCall, Usage
from vega_trio.protocols import TOOL_TIMEOUT_S, ModelDone, ModelEvent, ModelRequest, TextChunk, ThinkingChunk, ToolSpec

ReplyPart = str | ToolCall | ThinkingPart | Exception
"""Text, a tool call, thinking, or what is raised at that point of the stream."""


def _as_parts(parts: ReplyPart | Iterable[ReplyPart]) -> tuple[ReplyPart, ...]:
    return (parts,) if isinstance(parts, ReplyPart) else tuple(parts)


@attrs.frozen
class ScriptedReply:
    """One reply in full.

    `stop_reason` None is `tool_use` when a tool is called, else `end_turn`. Text comes in chunks of `chunk_size`
    characters, None meaning word by word; `delay_s` seconds pass before each event.
    """

    parts: tuple[ReplyPart, ...] = attrs.field(converter=_as_parts)
    usage: Usage = attrs.field(factory=lambda: Usage(input_tokens=10, output_tokens=5))
    stop_reason: str | None = None
    chunk_size: int | None = None
    delay_s: float = 0.0

    @property
    def calls_tools(self) -> bool:
        return any(isinstance(part, ToolCall) for part in self.parts)


Scripted = ReplyPart | Sequence[ReplyPart] | ScriptedReply
Step = Scripted | Callable[[ModelRequest], Scripted | Awaitable[Scripted]]


@attrs.define(eq=False)
class ScriptedModel:
    """A model that answers its calls with `steps`, one step a call.

    A step is a text, a `ToolCall`, a sequence of these, an exception (a `ModelError` fails the turn, any other
    ends the process), a `ScriptedReply`, or a function of the `ModelRequest`, plain or async, that gives one of
    these. A function in place of the steps answers every call. `price` is micro-dollars a token; None: unknown.

    As a context manager it ends with `check()`. `requests` holds what it was asked, in order.
    """

    _script: Iterable[Step] | Callable[[ModelRequest], Scripted | Awaitable[Scripted]] = ()
    name: str = attrs.field(default="scripted:test", kw_only=True)
    token_price: int | None = attrs.field(default=0, alias="price", kw_only=True)
    requests: list[ModelRequest] = attrs.field(factory=list, init=False, repr=False)
    _left: deque[Step] = attrs.field(init=False, repr=False)
    _unexpected: list[str] = attrs.field(factory=list, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._left = deque() if callable(self._script) else deque(self._script)

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        self.requests.append(request)
        step = self._next_step(request)
        if callable(step):
            result = step(request)
            step = await result if inspect.isawaitable(result) else result
        async with aclosing(_play(_reply_of(step))) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        if self.token_price is None:
            return None
        tokens = usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return self.token_price * tokens

    def check(self) -> None:
        """Raises: AssertionError when a step was not used, or a call came for which there was none."""
        if self._unexpected:
            raise AssertionError("; ".join(self._unexpected))
        if self._left:
            left = ", ".join(_show(step) for step in self._left)
            raise AssertionError(f"{self.name}: {len(self._left)} scripted step(s) not used: {left}")

    def __enter__(self) -> ScriptedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.check()

    def _next_step(self, request: ModelRequest) -> Step:
        if callable(self._script):
            return self._script
        if not self._left:
            last = request.messages[-1] if request.messages else None
            self._unexpected.append(f"{self.name}: call {len(self.requests)} has no step left; last message: {last!r}")
            raise AssertionError(self._unexpected[-1])
        return self._left.popleft()


def _reply_of(step: Scripted) -> ScriptedReply:
    match step:
        case ScriptedReply():
            return step
        case str() | ToolCall() | ThinkingPart() | Exception() | list() | tuple():
            return ScriptedReply(step)
        case _:
            raise TypeError(f"a scripted step cannot be {step!r}; give text, ToolCall, an exception or a ScriptedReply")


async def _play(reply: ScriptedReply) -> AsyncGenerator[ModelEvent, None]:
    for part in reply.parts:
        for piece in _chunks(part, reply.chunk_size) if isinstance(part, str) else (part,):
            await trio.sleep(reply.delay_s)
            match piece:
                case str():
                    yield TextChunk(piece)
                case ThinkingPart(text):
                    yield ThinkingChunk(text)
                    yield piece
                case ToolCall():
                    yield piece
                case _:
                    raise piece
    await trio.sleep(reply.delay_s)
    yield ModelDone(reply.stop_reason or ("tool_use" if reply.calls_tools else "end_turn"), reply.usage)


def _chunks(text: str, size: int | None) -> list[str]:
    if size is None:
        return re.findall(r"\S+\s*|\s+", text)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _show(step: Step) -> str:
    text = repr(step)
    return text if len(text) <= 80 else text[:77] + "..."


@attrs.define(eq=False)
class FakeTool:
    """A tool that records its calls and answers with `result`: a text, an exception to raise, or a function of
    the arguments, plain or async, giving the text.
    """

    name: str
    result: str | Exception | Callable[[Mapping[str, Any]], str | Awaitable[str]] = "ok"
    description: str = "A tool for tests."
    parameters: Mapping[str, Any] = attrs.field(factory=lambda: {"type": "object", "properties": {}})
    timeout_s: float | None = TOOL_TIMEOUT_S
    calls: list[Mapping[str, Any]] = attrs.field(factory=list, init=False)

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name=self.name, description=self.description, parameters=self.parameters, timeout_s=self.timeout_s
        )

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        self.calls.append(arguments)
        match self.result:
            case str():
                await trio.lowlevel.checkpoint()
                return self.result
            case Exception():
                raise self.result
            case function:
                answer = function(arguments)
                return await answer if inspect.isawaitable(answer) else answer
