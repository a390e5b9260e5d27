"""A turn on a terminal: its text as Markdown while it comes, one line for each tool call.

What is finished of an answer, its blocks of Markdown, is printed for good; only the block that is being written is
painted again and again, so that an answer of any length scrolls as plain text does.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import attrs

from vega_trio.cli.progress import cut, tool_line
from vega_trio.cli.terminal import safe
from vega_trio.events import ToolEnd, ToolStart

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

SHOWN_LINES = 40  # of a tool's result that is unfolded
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def finished_blocks(text: str) -> int:
    """How many characters from the start are whole blocks: up to the last blank line outside of a fence."""
    end, fence = 0, ""
    at = 0
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark is not None and not fence:
            fence = mark[1]
        elif mark is not None and mark[1].startswith(fence):
            fence = ""
        at += len(line)
        if not fence and not line.strip() and line.endswith("\n"):
            end = at
    return end


@attrs.define
class MarkdownScreen:
    """Shows turns; `said` is the text of the one under way. `unfolded` says whether tool calls show all of theirs."""

    console: Console
    said: str = ""
    printed: int = 0
    unfolded: bool = False
    calls: dict[str, ToolStart] = attrs.field(factory=dict)
    results: list[tuple[ToolStart, ToolEnd]] = attrs.field(factory=list)
    _live: Live | None = None

    @property
    def color(self) -> bool:
        return not self.console.no_color

    # -- the text

    def start(self) -> None:
        self._fold()
        self.said, self.printed = "", 0

    def text(self, piece: str) -> None:
        self.said += safe(piece)
        end = self.printed + finished_blocks(self.said[self.printed :])
        if end > self.printed:
            self._fold()
            self._print(self.said[self.printed : end])
            self.printed = end
        self._paint()

    def finish(self) -> None:
        """The turn is over: what was being painted is printed for good."""
        self._fold()
        if self.said[self.printed :].strip():
            self._print(self.said[self.printed :])
        self.printed = len(self.said)

    def _print(self, text: str) -> None:
        from rich.markdown import Markdown

        self.console.print(Markdown(text.strip("\n")))

    def _paint(self) -> None:
        from rich.live import Live
        from rich.markdown import Markdown

        rest = self.said[self.printed :].strip("\n")
        if not rest:
            return
        if self._live is None:
            self._live = Live(console=self.console, transient=True, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        lines = rest.split("\n")[-max(4, self.console.size.height - 4) :]
        self._live.update(Markdown("\n".join(lines)), refresh=True)

    def _fold(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    # -- beside the text

    def line(self, text: str) -> None:
        self.end_line()
        self.console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def end_line(self) -> None:
        """Makes room for something beside the answer."""
        if self._live is not None:
            self._fold()
            self._print(self.said[self.printed :])
            self.printed = len(self.said)

    def tool_started(self, event: ToolStart, whose: str) -> None:
        self.calls[event.tool_call_id] = event
        self.line(f"· {whose}{tool_line(event)}")

    def tool_ended(self, event: ToolEnd, whose: str) -> None:
        started = self.calls.pop(event.tool_call_id, None)
        state = "failed" if event.error else "done"
        said = f": {cut(event.result)}" if event.error and not self.unfolded else ""
        self.line(f"· {whose}{safe(event.tool_name)} {state} in {event.duration_ms / 1000:.1f} s{said}")
        if started is not None:
            self.results.append((started, event))
            if self.unfolded:
                self.details(started, event)

    def toggle(self) -> None:
        """Ctrl-O: shows tool calls whole, those of the turn so far too; or no more."""
        self.unfolded = not self.unfolded
        if not self.unfolded:
            self.line("· tool calls are folded")
            return
        self.line("· tool calls are unfolded" + ("" if self.results else "; none was made yet"))
        for started, ended in self.results:
            self.details(started, ended)

    def details(self, started: ToolStart, ended: ToolEnd) -> None:
        """The arguments and the result of a call, indented."""
        arguments = json.dumps(dict(started.arguments), ensure_ascii=False, indent=2, default=str)
        for title, text in ((safe(started.tool_name), arguments), ("result", ended.result)):
            lines = safe(text).rstrip("\n").split("\n")
            more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
            self.line(f"    {title}:")
            for each in [*lines[:SHOWN_LINES], *more]:
                self.line(f"      {each}")


def open_markdown_screen(*, no_color: bool) -> MarkdownScreen:
    """On stdout, which must be a terminal."""
    from rich.console import Console

    return MarkdownScreen(Console(file=sys.stdout, no_color=no_color, highlight=False))
