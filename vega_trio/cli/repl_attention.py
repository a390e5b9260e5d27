"""What the person at the REPL may do while an answer comes: stop it, answer what it asks, type ahead."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.cli import keyboard
from vega_trio.cli.asking import BUFFER, Lines, asking, request_text
from vega_trio.cli.failure import Failure
from vega_trio.cli.markdown import MarkdownScreen
from vega_trio.cli.turns import Screen
from vega_trio.errors import VegaError
from vega_trio.events import ApprovalAwaited, ApprovalRequested, ApprovalResolved, Event

Work = Callable[[], Awaitable[object]]


@attrs.define(kw_only=True)
class Attention:
    """`typed` was typed while an answer came, `ended` by Ctrl-D; `asking` are approvals that wait for a key.

    `lines` is where a terminal that cannot tell single keys gives its answers.
    """

    app: App
    screen: Screen | MarkdownScreen
    typed: str = ""
    ended: bool = False
    lines: Lines | None = None
    _stop: Work | None = attrs.field(default=None, init=False)
    _elsewhere: bool = attrs.field(default=False, init=False)
    _asking: list[str] = attrs.field(factory=list, init=False)

    async def attend(self, stop: Work, work: Work) -> VegaError | Failure | None:
        """Does the work, with Esc and Ctrl-C stopping it. Returns what went wrong."""
        self._stop = stop
        try:
            if not isinstance(self.screen, MarkdownScreen):
                async with asking(self.app, self.lines):
                    return await _outcome(work)
            with keyboard.single_keys():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(keyboard.listen, partial(self._pressed, nursery))
                    error = await _outcome(work)
                    nursery.cancel_scope.cancel()
            return error
        finally:
            self._stop = None
            self._asking.clear()

    @property
    def busy(self) -> bool:
        """Whether there is something that Ctrl-C is for."""
        return self._stop is not None or self._elsewhere

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Within the block another program has the terminal, and Ctrl-C is for that one."""
        self._elsewhere = True
        try:
            with keyboard.same_terminal():
                yield
        finally:
            self._elsewhere = False

    def stop(self, nursery: trio.Nursery) -> None:
        """Stops what is under way, once, in a task of its own: it must not keep a second signal waiting."""
        if self._stop is not None:
            stop, self._stop = self._stop, None
            nursery.start_soon(_done, stop)

    def hear(self, event: Event) -> None:
        """Events of a turn that ask for something."""
        match event:
            case ApprovalRequested() | ApprovalAwaited() if isinstance(self.screen, MarkdownScreen):
                self._asking.append(event.approval_id)
                self.screen.line(f"· {request_text(event)}allow it? y or n")
            case ApprovalResolved() if event.approval_id in self._asking:
                self._asking.remove(event.approval_id)

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Within the block, approvals that a workflow's agents need are told of, and y or n answers them."""
        if not isinstance(self.screen, MarkdownScreen):
            yield
            return
        async with trio.open_nursery() as nursery:
            async with self.app.subscribe(types=[ApprovalRequested, ApprovalResolved], buffer=BUFFER) as events:
                nursery.start_soon(self._hear_all, events)
                yield
                nursery.cancel_scope.cancel()

    async def _hear_all(self, events: AsyncIterable[Event]) -> None:
        async for event in events:
            self.hear(event)

    def _pressed(self, nursery: trio.Nursery, pressed: bytes) -> None:
        if pressed == keyboard.ESCAPE and self.busy:
            self.stop(nursery)
        elif pressed == keyboard.CTRL_O and isinstance(self.screen, MarkdownScreen):
            self.screen.toggle()
        elif pressed == keyboard.CTRL_D:
            self.ended = True
        elif self._asking and pressed.lower() in (b"y", b"n"):
            approval_id = self._asking.pop(0)
            nursery.start_soon(self._decide, approval_id, "approve" if pressed.lower() == b"y" else "deny")
        elif not pressed.startswith(keyboard.ESCAPE):
            text = pressed.decode(errors="ignore").replace("\r", "\n")
            self.typed += "".join(each for each in text if each >= " " or each == "\n")

    async def _decide(self, approval_id: str, decision: str) -> None:
        """Somebody else may have been faster, or the time be up: that is told, and ends nothing."""
        try:
            await self.app.decide(approval_id, decision)
        except VegaError as error:
            self.screen.line(f"· {error}")


async def _done(work: Work) -> None:
    await work()


async def _outcome(work: Work) -> VegaError | Failure | None:
    try:
        await work()
    except (VegaError, Failure) as error:
        return error
    return None
