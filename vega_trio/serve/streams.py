"""Bodies of answers that go on: what the web framework iterates while a turn or the world produces."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import attrs
from quart import Response
from quart.wrappers.response import ResponseBody

from vega_trio.events import Event, TextDelta
from vega_trio.serve.translate import Lost, Queued
from vega_trio.serve.turns import TextRun, TurnLog

DELTAS_AT_ONCE = 64  # behind by more, a client gets them merged
SSE_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}


def sse_answer(body: ResponseBody, method: str) -> Response:
    """The answer around an endless body. It is not cut after a time, and a HEAD request gets its head alone."""
    answer = Response(b"" if method == "HEAD" else body, 200, SSE_HEADERS)
    answer.timeout = None
    return answer


class Shows(Protocol):
    """Makes frames of a turn's events: `translate.Translator`, `agui_events.AguiTranslator`."""

    def frames(self, event: Event | Queued | Lost) -> bytes: ...
    def text(self, merged: TextDelta, deltas: int) -> bytes: ...
    def known(self, head: TextDelta, deltas: int) -> int: ...


@attrs.define(eq=False)
class TurnBody(ResponseBody):
    """One client of a turn. `_live`: it has caught up, so that it is given each delta as it comes."""

    _log: TurnLog
    _translator: Shows
    _live: bool
    _at: int = attrs.field(default=0, init=False)
    _deltas: int = attrs.field(default=0, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type, error: BaseException, trace: TracebackType) -> None:
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """All that there is; waits for more when there is nothing."""
        while True:
            ended = self.ended
            data = self.take()
            if data:
                return data
            if ended:
                raise StopAsyncIteration
            await self.news()

    @property
    def ended(self) -> bool:
        """Whether what there is now is all of it."""
        return self._log.ended_at is not None

    async def news(self) -> None:
        await self._log.news()

    def take(self) -> bytes:
        """All that is new, without waiting."""
        frames, entries = [], self._log.entries
        while self._at < len(entries):
            match entries[self._at]:
                case TextRun() as run:
                    frames.append(self._text(run))
                    if self._at == len(entries) - 1:
                        break  # it may grow
                    self._deltas = 0
                case entry:
                    frames.append(self._translator.frames(entry))
            self._at += 1
        self._live = True
        return b"".join(frames)

    def _text(self, run: TextRun) -> bytes:
        """What is new of a run of text. Who has fallen behind gets it in one frame."""
        first, self._deltas = self._deltas, len(run)
        first += self._translator.known(run.head, self._deltas - first)
        behind = self._deltas - first
        if self._live and behind <= DELTAS_AT_ONCE:
            steps = [(each, each + 1) for each in range(first, self._deltas)]
        else:
            steps = [(first, self._deltas)] if behind else []
        return b"".join(self._translator.text(run.between(*step), step[1] - step[0]) for step in steps)
