"""The `demo` model: scripted, deterministic, without key, network or cost."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs
import trio

from vega_trio.llm.demo_faults import DemoFault
from vega_trio.llm.demo_rules import answer
from vega_trio.llm.demo_turn import DemoCrash, Step, read_turn
from vega_trio.messages import ToolCall, Usage
from vega_trio.protocols import ModelDone, ModelEvent, ModelRequest, TextChunk

_TOKEN = re.compile(r"\S+\s*|\s+")


@attrs.define(eq=False)
class DemoModel:
    """One per program: it lives across the incarnations of its processes, so it knows which turns it has crashed.

    `tokens_per_s` is the pace of the text, a word being a token.
    """

    tokens_per_s: float = 60.0
    name: str = attrs.field(default="demo", init=False)
    _crashed: set[tuple[str, ...]] = attrs.field(factory=set, init=False, repr=False)
    _faults: deque[DemoFault] = attrs.field(factory=deque, init=False, repr=False)

    def arm(self, fault: DemoFault) -> None:
        """The next calls go wrong in that way, whosever they are."""
        self._faults.extend([fault] * fault.calls)

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        async with aclosing(self._events(request)) as events:
            yield events

    def price(self, usage: Usage) -> int | None:
        return 0

    async def _events(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        said = _conversation(request)
        steps = answer(read_turn(request, crashed=said in self._crashed))
        tokens, stop_reason = 0, "end_turn"
        fault = self._faults.popleft() if self._faults else None
        pace = self.tokens_per_s * (fault.pace if fault is not None else 1)
        for piece in _played(_pieces(steps), fault):
            if tokens == request.max_tokens:
                stop_reason = "max_tokens"
                break
            tokens += 1
            await trio.sleep(1 / pace)
            match piece:
                case DemoCrash():
                    self._crashed.add(said)
                    raise piece
                case Exception():
                    raise piece
                case ToolCall():
                    stop_reason = "tool_use"
                    yield piece
                case str():
                    yield TextChunk(piece)
        # The same words in another session, or after this one was cleared, may crash again.
        self._crashed.discard(said)
        yield ModelDone(stop_reason, Usage(input_tokens=_size(request), output_tokens=tokens))


def _played(pieces: list[Step], fault: DemoFault | None) -> list[Step]:
    """The answer as far as the fault lets it come."""
    if fault is None or fault.error is None:
        return pieces
    return [*pieces[: fault.pieces], fault.error()]


def _conversation(request: ModelRequest) -> tuple[str, ...]:
    """What the user has said so far: the same before and after a restart, whatever was kept of a broken answer."""
    return tuple(each.text for each in request.messages if each.role == "user" and each.text)


def _pieces(steps: tuple[Step, ...]) -> list[Step]:
    pieces: list[Step] = []
    for step in steps:
        if isinstance(step, str):
            pieces.extend(_TOKEN.findall(step))
        else:
            pieces.append(step)
    return pieces


def _size(request: ModelRequest) -> int:
    """Input tokens, taking one for four characters."""
    letters = len(request.system) + sum(len(str(part)) for each in request.messages for part in each.content)
    return max(1, letters // 4)
