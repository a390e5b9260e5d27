"""Shows one chat turn: its text on stdout, a line for each tool call on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable

import attrs
import click

from vega_trio.app.application import App
from vega_trio.cli.failure import Failure
from vega_trio.cli.markdown import MarkdownScreen
from vega_trio.cli.progress import cut, progress_line, tool_line
from vega_trio.cli.terminal import is_terminal, put, safe, wants_color
from vega_trio.errors import TurnFailed
from vega_trio.events import (
    Event,
    MessageReset,
    TextDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnFailure,
    TurnFinished,
    TurnStopped,
)
from vega_trio.session import ErrorClass, Session


@attrs.define(kw_only=True)
class Screen:
    """Where a turn is shown. A terminal gets the text as it comes; else it is written whole, once it is final.

    `said` is the turn's text so far; `at_start` is whether the terminal's cursor stands at a line's start.
    """

    streaming: bool
    color: bool
    quiet: bool
    said: str = ""
    at_start: bool = True

    def text(self, piece: str) -> None:
        self.said += piece
        if self.streaming and piece:
            shown = safe(piece)
            put(shown)
            self.at_start = shown.endswith("\n") if shown else self.at_start

    def line(self, text: str) -> None:
        """Something beside the answer, on a line of its own."""
        if self.quiet:
            return
        self.end_line()
        styled = click.style(text, dim=True) if self.color else text
        sys.stderr.write(styled + "\n")
        sys.stderr.flush()

    def tool_started(self, event: ToolStart, whose: str) -> None:
        self.line(f"· {whose}{tool_line(event)}")

    def tool_ended(self, event: ToolEnd, whose: str) -> None:
        if event.error:
            self.line(f"· {whose}{safe(event.tool_name)} failed: {cut(event.result)}")

    def end_line(self) -> None:
        """Closes an open line of the terminal."""
        if not self.at_start:
            put("\n")
            self.at_start = True

    def start(self) -> None:
        self.said = ""

    def finish(self) -> None:
        """The turn is over: what was held back is written."""
        if self.streaming:
            self.end_line()
        elif self.said:
            put(self.said if self.said.endswith("\n") else self.said + "\n")


def open_screen(*, quiet: bool, no_color: bool) -> Screen:
    return Screen(streaming=is_terminal(sys.stdout), color=wants_color(sys.stderr, no_color=no_color), quiet=quiet)


def _ignore(_event: Event) -> None:
    """Of a caller who does not want the events."""


async def show_turn(
    app: App,
    session: Session,
    message: str,
    screen: Screen | MarkdownScreen,
    hear: Callable[[Event], None] = _ignore,
) -> bool:
    """Sends a message and shows its turn to the end. Returns whether the turn was finished, not stopped.

    `hear` gets every event, before it is shown.

    Raises: TurnFailed, after what was said until then; UnknownAgent, MailboxFull, ProcessExited.
    """
    screen.start()
    try:
        async with app.chat(session, message) as events:
            async for event in events:
                hear(event)
                if event.turn_id == events.turn_id:
                    end = _own(event, screen)
                    if end is not None:
                        return end
                _beside(event, screen, session.agent)
    finally:
        screen.finish()
    raise Failure("the turn's events ended before the turn did")


def _own(event: Event, screen: Screen | MarkdownScreen) -> bool | None:
    """An event of the turn itself, and not of a delegate's: its text and its end."""
    match event:
        case TextDelta():
            screen.text(event.delta)
        case MessageReset():
            screen.line("· the answer starts over")
            screen.start()
            screen.text(event.text)
        case TurnFinished():
            return True
        case TurnStopped():
            return False
        case TurnFailure():
            raise TurnFailed(event.error, ErrorClass(event.error_class), event.turn_id or "")
    return None


def _beside(event: Event, screen: Screen | MarkdownScreen, agent: str) -> None:
    whose = f"{safe(event.agent)}: " if event.agent not in (None, agent) else ""
    match event:
        case ToolStart():
            screen.tool_started(event, whose)
        case ToolProgress():
            screen.line(f"· {whose}{progress_line(event)}")
        case ToolEnd():
            screen.tool_ended(event, whose)
