"""`vega repl`: its options. What it does is in `repl_desk.py`."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="repl")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option(
    "--db",
    metavar="PATH",
    shell_complete=completing.files,
    help="Keep conversations in this database (default: in memory).",
)
@click.option(
    "--model",
    metavar="M",
    shell_complete=completing.models,
    help="The model for all agents: demo, local, or PROVIDER:NAME.",
)
@click.pass_context
def command(ctx: click.Context, file: str | None, db: str | None, model: str | None) -> int:
    """Talk to the agents of FILE and run its workflows, in the terminal.

    FILE is a .vega.yaml or a directory of them, by default the only one here, else the built-in assistant. /help
    lists the words. Esc or Ctrl-C stops an answer, Ctrl-D quits. Lines that are piped in are obeyed one by one.
    """
    from vega_trio.cli.repl_opening import hold_repl

    return hold_repl(file, db, model, Shared(ctx))
