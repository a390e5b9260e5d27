"""A run recorded once and replayed offline: `recorded:FILE`.

The file is JSON Lines: a head, then one line for each answer, `{"request": .., "events": [..]}`, in the order in which
the answers were complete. A request is answered by a recorded one that is equal to it in all that a model is shown, so
processes that run side by side may ask in any order. Attempts that failed are not kept: a replay is the run without
its bad luck.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import attrs
import trio

from vega_trio._core.codec import decode_json, encode_json, encode_message
from vega_trio.errors import ConfigError, ModelError
from vega_trio.messages import ThinkingPart, ToolCall, Usage
from vega_trio.protocols import Model, ModelDone, ModelEvent, ModelRequest, TextChunk, ThinkingChunk
from vega_trio.session import ErrorClass

VERSION: Final = 1
_SHOWN: Final = 200
"""How many characters of two texts that differ an error shows."""


@attrs.define(eq=False)
class RecordingModel:
    """Passes calls on to `model` and writes each complete answer to `path`, which begins anew."""

    model: Model
    path: Path = attrs.field(converter=Path)

    def __attrs_post_init__(self) -> None:
        self.path.write_bytes(encode_json({"recording": VERSION, "model": self.model.name}) + b"\n")

    @property
    def name(self) -> str:
        return self.model.name

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        async with self.model.stream(request) as events, aclosing(self._written(request, events)) as written:
            yield written

    def price(self, usage: Usage) -> int | None:
        return self.model.price(usage)

    async def _written(
        self, request: ModelRequest, events: AsyncIterator[ModelEvent]
    ) -> AsyncGenerator[ModelEvent, None]:
        seen = []
        async for event in events:
            seen.append(_as_json(event))
            if isinstance(event, ModelDone):
                line = encode_json({"request": request_as_json(request), "events": seen}) + b"\n"
                with self.path.open("ab") as file:  # one write, so that answers at the same time stay whole lines
                    file.write(line)
            yield event


@attrs.define(eq=False)
class RecordedModel:
    """Answers from a recording; a request that is not in it is drift and fails the turn, saying what differs.

    As a context manager it ends with `check()`. It costs nothing. Raises: ConfigError for a file that is no recording.
    """

    path: Path = attrs.field(converter=Path)
    recorded_name: str = attrs.field(default="", init=False)
    _left: dict[bytes, deque[list[Any]]] = attrs.field(factory=dict, init=False, repr=False)
    _requests: list[dict[str, Any]] = attrs.field(factory=list, init=False, repr=False)
    _drift: list[str] = attrs.field(factory=list, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        try:
            head, *lines = [decode_json(line) for line in self.path.read_bytes().splitlines()]
            if head["recording"] != VERSION:
                raise ValueError(f"it is of version {head['recording']}")
            self.recorded_name = head["model"]
            for line in lines:
                self._requests.append(line["request"])
                self._left.setdefault(encode_json(line["request"]), deque()).append(line["events"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ConfigError(
                f"model 'recorded:{self.path}' is no recording: {error}; make one with RecordingModel(model, path)"
            ) from error

    @property
    def name(self) -> str:
        return f"recorded:{self.path}"

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        asked = request_as_json(request)
        answers = self._left.get(encode_json(asked))
        if not answers:
            self._drift.append(self._difference(asked))
            raise ModelError(self._drift[-1], ErrorClass.INVALID_REQUEST)
        async with aclosing(_replay(answers.popleft())) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        return 0

    def check(self) -> None:
        """Raises: AssertionError when something was asked that is not recorded, or less than is."""
        if self._drift:
            raise AssertionError("; ".join(self._drift))
        unused = sum(map(len, self._left.values()))
        if unused:
            raise AssertionError(f"{self.name}: {unused} of {len(self._requests)} recorded calls were not made")

    def __enter__(self) -> RecordedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.check()

    def _difference(self, asked: dict[str, Any]) -> str:
        if asked in self._requests:
            return f"{self.name}: the same was asked more often than it was recorded; record the run again"
        closest = max(self._requests, key=lambda each: _likeness(each, asked), default=None)
        if closest is None:
            return f"{self.name} holds no answer at all; record the run again"
        where, was, now = next(_differences(closest, asked))
        return (
            f"{self.name}: the run has drifted from its recording: {where} was {_shown(was)} and is {_shown(now)}; "
            "record it again if that is meant"
        )


def request_as_json(request: ModelRequest) -> dict[str, Any]:
    """All that a model is shown of a request."""
    value = {
        "system": request.system,
        "messages": [encode_message(message) for message in request.messages],
        "tools": [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in request.tools
        ],
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "output_schema": request.output_schema,
        "thinking": request.thinking,
    }
    plain: dict[str, Any] = decode_json(encode_json(value))
    return plain


def _as_json(event: ModelEvent) -> dict[str, Any]:
    match event:
        case TextChunk(text):
            return {"text": text}
        case ThinkingChunk(text):
            return {"thinking": text}
        case ThinkingPart():
            return {"thought": attrs.asdict(event)}
        case ToolCall(call_id, name, arguments):
            return {"call": {"id": call_id, "name": name, "arguments": arguments}}
        case ModelDone(stop_reason, usage):
            return {"done": {"stop_reason": stop_reason, "usage": attrs.asdict(usage)}}


async def _replay(events: list[Any]) -> AsyncGenerator[ModelEvent, None]:
    for event in events:
        await trio.lowlevel.checkpoint()
        match event:
            case {"text": text}:
                yield TextChunk(text)
            case {"thinking": text}:
                yield ThinkingChunk(text)
            case {"thought": thought}:
                yield ThinkingPart(**thought)
            case {"call": call}:
                yield ToolCall(**call)
            case {"done": done}:
                yield ModelDone(done["stop_reason"], Usage(**done["usage"]))


def _likeness(recorded: dict[str, Any], asked: dict[str, Any]) -> tuple[int, int]:
    """How many messages at the front are the same, and how much else is."""
    both = zip(recorded["messages"], asked["messages"], strict=False)
    same = next((at for at, (one, other) in enumerate(both) if one != other), len(recorded["messages"]))
    return same, sum(recorded[key] == asked[key] for key in asked)


def _differences(was: Any, now: Any, where: str = "request") -> Any:
    """Places at which two JSON values differ, the first first."""
    match was, now:
        case dict(), dict() if was.keys() == now.keys():
            for key in now:
                yield from _differences(was[key], now[key], f"{where}.{key}")
        case list(), list() if was and now:
            for at, (one, other) in enumerate(zip(was, now, strict=False)):
                yield from _differences(one, other, f"{where}[{at}]")
            if len(was) != len(now):
                yield f"the length of {where}", len(was), len(now)
        case _ if was != now:
            yield where, was, now


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
