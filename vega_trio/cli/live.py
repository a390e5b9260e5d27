"""Shows a run while it runs, on stderr: a tree that repaints itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio

from vega_trio.app.application import App
from vega_trio.cli.progress import Progress, StepView, dollars, progress_of
from vega_trio.errors import SlowSubscriber
from vega_trio.events import Event

if TYPE_CHECKING:
    from rich.console import RenderableType

BUFFER = 10_000  # a burst of deltas must not cut the display off
FRAME_S = 0.1
TAIL_SHOWN = 70  # characters of a running answer
LAST_WORDS_S = 1.0  # for the events behind the result, which are on their way

Screen = Callable[[list[str]], None]
"""Shows news; an empty list repaints what is there."""


@asynccontextmanager
async def show_progress(app: App, *, live: bool, run: Mapping[str, Any] | None = None) -> AsyncIterator[Progress]:
    """Shows what the application's one run does until the block ends, and then waits for its last events.

    `run` is its row, when it has begun before the application was opened.
    """
    progress = Progress() if run is None else progress_of(run, time.time())
    ended = trio.Event()
    with _tree(progress) if live else _lines() as screen:
        async with trio.open_nursery() as nursery:
            ready = trio.Event()
            nursery.start_soon(_follow, app, progress, screen, ready, ended)
            await ready.wait()
            if live:
                nursery.start_soon(_animate, screen)
            yield progress
            with trio.move_on_after(LAST_WORDS_S):
                await ended.wait()
            nursery.cancel_scope.cancel()


async def _follow(app: App, progress: Progress, screen: Screen, ready: trio.Event, ended: trio.Event) -> None:
    """Folds events in to the run's last; having fallen behind, it takes up the newest again."""
    while True:
        with suppress(SlowSubscriber):
            async with app.subscribe(buffer=BUFFER) as events:
                ready.set()
                await _take(events, progress, screen)
            ended.set()
            return


async def _take(events: AsyncIterable[Event], progress: Progress, screen: Screen) -> None:
    async for event in events:
        news = progress.apply(event)
        if news:
            screen(news)
        if progress.ended:
            return


async def _animate(screen: Screen) -> None:
    """The frame clock: the time of running steps goes on between events."""
    while True:
        screen([])
        await trio.sleep(FRAME_S)


# -- plain


@contextmanager
def _lines() -> Iterator[Screen]:
    def screen(news: list[str]) -> None:
        for line in news:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    yield screen


# -- tree


@contextmanager
def _tree(progress: Progress) -> Iterator[Screen]:
    """The tree below everything else that is written; it stays when the block ends."""
    from rich.console import Console  # only a terminal pays for it
    from rich.live import Live

    console = Console(stderr=True, highlight=False, markup=False)
    live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
    with live:

        def screen(_news: list[str]) -> None:
            if not progress.paused:
                live.update(frame(progress, time.time(), console.size.height - 2), refresh=True)
            elif progress.steps:
                live.update("", refresh=True)

        yield screen
    if progress.steps:
        console.print(frame(progress, time.time(), len(progress.steps)))


_MARKS = {"completed": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("-", "dim"), "cancelled": ("-", "yellow")}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def frame(progress: Progress, now: float, height: int) -> RenderableType:
    """The newest `height` lines of the tree at Unix time `now`."""
    from rich.console import Group
    from rich.text import Text

    lines: list[Text] = []
    for step in list(progress.steps.values())[-height:]:
        mark, style = _MARKS.get(step.status, (_SPINNER[int(now / FRAME_S) % len(_SPINNER)], "cyan"))
        line = Text("  " * step.depth, no_wrap=True, overflow="ellipsis")
        line.append(f"{mark} ", style=style)
        line.append(step.title)
        line.append("  " + _aside(step, now), style="dim")
        lines.append(line)
        if step.activity:
            indent = "  " * (step.depth + 2)
            lines.append(Text(indent + _last_line(step.activity), style="dim", no_wrap=True, overflow="ellipsis"))
    return Group(*lines[-height:])


def _aside(step: StepView, now: float) -> str:
    if step.status != "running":
        return step.outcome() + (f": {step.error}" if step.error else "")
    said = f", {step.characters:,} characters" if step.characters else ""
    return f"{max(0.0, now - step.started_at):.1f} s{said}"


def _last_line(text: str) -> str:
    """The end of the last line that says something."""
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[-1][-TAIL_SHOWN:] if lines else ""


def closing_line(progress: Progress, started_at: float, cost_usd: float) -> str:
    """`review: completed in 3.2 s, $0.0123`."""
    cost = f", {dollars(cost_usd)}" if cost_usd else ""
    return f"{progress.workflow}: {progress.status} in {time.time() - started_at:.1f} s{cost}"
