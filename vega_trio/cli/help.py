"""`vega help`."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import vega_command
from vega_trio.cli.terminal import put


@vega_command(name="help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...", shell_complete=completing.commands)
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Show the help of vega or of a command."""
    at = ctx.find_root()
    for name in names:
        found = at.command.get_command(at, name) if isinstance(at.command, click.Group) else None
        if found is None:
            known = at.command.list_commands(at) if isinstance(at.command, click.Group) else []
            raise click.exceptions.NoSuchCommand(name, possibilities=known, ctx=at)
        at = click.Context(found, info_name=name, parent=at)
    put(at.get_help() + "\n")
    return 0
