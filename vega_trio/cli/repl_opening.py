"""Opens the REPL: the document, the screen, and where lines come from."""

from __future__ import annotations

import sys
from functools import partial

import trio

from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import choose_document, database_or_memory
from vega_trio.cli.keyboard import same_terminal
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.markdown import MarkdownScreen, open_markdown_screen
from vega_trio.cli.opened import open_here, tell_model
from vega_trio.cli.options import Shared
from vega_trio.cli.reading import read_lines
from vega_trio.cli.repl_desk import Repl
from vega_trio.cli.repl_prompt import LineReader, open_prompt
from vega_trio.cli.terminal import can_animate, is_terminal
from vega_trio.cli.turns import Screen, open_screen

UNATTENDED = "nobody is at a terminal to approve it"


def hold_repl(file: str | None, db: str | None, model: str | None, shared: Shared) -> int:
    """Returns the exit code; the terminal is as it was. Raises: whatever stops it."""
    setup = open_setup(shared.home)
    whole = is_terminal(sys.stdin) and can_animate(sys.stdout)
    screen: Screen | MarkdownScreen = (
        open_markdown_screen(no_color=shared.no_color)
        if whole
        else open_screen(quiet=shared.quiet, no_color=shared.no_color)
    )
    log = start_logging(shared, setup.env, before=screen.end_line)
    with same_terminal():
        return trio.run(partial(_main, file, db, model, shared, setup, screen, log))


async def _main(
    file: str | None,
    db: str | None,
    model: str | None,
    shared: Shared,
    setup: Setup,
    screen: Screen | MarkdownScreen,
    log: Log,
) -> int:
    source = choose_document(file)
    store = database_or_memory(db, setup)
    attended = is_terminal(sys.stdin)
    unattended = None if attended else UNATTENDED
    async with open_here(source, setup, log, model=model, store=store, unattended=unattended, meta=True) as app:
        tell_model(app, shared)
        own = list(app.document.agents)
        editor = setup.env.get("VISUAL") or setup.env.get("EDITOR") or ""
        sole = own[0] if len(own) == 1 else None
        repl = Repl(app=app, screen=screen, attended=attended, agent=sole, editor=editor)
        if isinstance(screen, MarkdownScreen):
            return await repl.hold(open_prompt(setup.home / "history", repl.names, screen.toggle))
        async with trio.open_nursery() as nursery:
            send, lines = trio.open_memory_channel[str](0)
            nursery.start_soon(read_lines, send)
            repl.attention.lines = lines
            code = await repl.hold(LineReader(lines, prompts=attended))
            nursery.cancel_scope.cancel()
        return code
