"""Asks the person at the terminal about the tool calls that need a yes."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.cli.reading import read_lines
from vega_trio.cli.terminal import is_terminal
from vega_trio.errors import ApprovalDecided
from vega_trio.events import ApprovalRequested, ApprovalResolved

UNATTENDED = "there is no terminal here to ask on; --approve TOOL allows a tool in advance"
YES = ("y", "yes")
BUFFER = 1000

Say = Callable[[str], None]
Lines = trio.MemoryReceiveChannel[str]


def nobody() -> str | None:
    """Why nobody can be asked, or None where a person sits at the terminal."""
    return None if is_terminal(sys.stdin) and is_terminal(sys.stderr) else UNATTENDED


def tell(text: str) -> None:
    """Writes to stderr, without a line end of its own."""
    sys.stderr.write(text)
    sys.stderr.flush()


@asynccontextmanager
async def asking(
    app: App, lines: Lines | None = None, *, say: Say = tell, hush: Callable[[bool], None] = lambda on: None
) -> AsyncIterator[None]:
    """Within the block, requests are put to the person at the terminal, if there is one.

    `lines` is where what is typed comes from, stdin if not given. `hush(True)` has others keep off the terminal.
    """
    if nobody() is not None:
        yield
        return
    async with trio.open_nursery() as nursery:
        if lines is None:
            send, lines = trio.open_memory_channel[str](0)
            nursery.start_soon(read_lines, send)
        await nursery.start(Asker(app, lines, say, hush).listen, nursery)
        yield
        nursery.cancel_scope.cancel()


@attrs.define
class Asker:
    """One question at a time, in the order of the requests. `scopes` are those of open and waiting questions."""

    app: App
    lines: Lines
    say: Say
    hush: Callable[[bool], None]
    turn: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(1))
    scopes: dict[str, trio.CancelScope] = attrs.field(factory=dict)

    async def listen(self, nursery: trio.Nursery, *, task_status: trio.TaskStatus[None]) -> None:
        async with self.app.subscribe(types=[ApprovalRequested, ApprovalResolved], buffer=BUFFER) as events:
            for left in await self.app.approvals("pending"):
                nursery.start_soon(self._ask, left.id, question(left))
            task_status.started()
            async for event in events:
                match event:
                    case ApprovalRequested(approval_id=approval_id):
                        nursery.start_soon(self._ask, approval_id, question(event))
                    case ApprovalResolved(approval_id=approval_id) if approval_id in self.scopes:
                        self.scopes[approval_id].cancel()

    async def _ask(self, approval_id: str, text: str) -> None:
        """A question that somebody else answers, or whose turn is stopped, is taken back."""
        if approval_id in self.scopes:
            return
        with trio.CancelScope() as scope:
            self.scopes[approval_id] = scope
            async with self.turn:
                try:
                    self.hush(True)
                    self.say(text)
                    approve = await self._read()
                finally:
                    self.hush(False)
                del self.scopes[approval_id]  # the answer is ours; its own event must not cut it short
                await self._decide(approval_id, approve)
        self.scopes.pop(approval_id, None)

    async def _read(self) -> bool:
        try:
            return (await self.lines.receive()).strip().lower() in YES
        except trio.EndOfChannel:
            self.say("\n")
            return False

    async def _decide(self, approval_id: str, approve: bool) -> None:
        try:
            await self.app.decide(approval_id, "approve" if approve else "deny")
        except ApprovalDecided as error:
            self.say(f"{error}\n")


class Asked(Protocol):
    """What a question is about: the request, or the event that tells of it."""

    @property
    def agent(self) -> str | None: ...
    @property
    def tool_name(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...
    @property
    def reason(self) -> str: ...


def question(asked: Asked) -> str:
    """What the person reads before an answer is typed."""
    return request_text(asked) + "allow it? [y/N] "


def request_text(asked: Asked) -> str:
    """The whole of what would be done, with nothing hidden in it, in lines."""
    arguments = json.dumps(dict(asked.arguments), ensure_ascii=False, indent=2, default=str)
    text = f"{asked.agent or 'an agent'} asks to call {asked.tool_name} with\n{arguments}\n({asked.reason})\n"
    return visible(text)


def visible(text: str) -> str:
    """The text with characters that cannot be seen, or that turn others round, written as escapes."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\u{ord(char):04x}" for char in text)
