"""`vega models`."""

from __future__ import annotations

import json

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options, vega_command
from vega_trio.cli.terminal import put


@vega_command(name="pull")
@click.argument("name", shell_complete=completing.local_models)
@click.pass_context
def pull_command(ctx: click.Context, name: str) -> int:
    """Fetch a model that runs on this machine, such as smollm2, and keep it in the home.

    Prints the path of the model's file.
    """
    from vega_trio.app.models import SOURCES, installed, pull
    from vega_trio.cli.config import open_setup

    shared = Shared(ctx)
    home = open_setup(shared.home).home
    there = {model.name for model in installed(home)}
    if name in SOURCES and name not in there and not shared.quiet:
        click.echo(f"fetching {SOURCES[name].about}", err=True)
    put(f"{pull(name, home)}\n")
    return 0


@vega_command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> int:
    """List the local models: what is installed, and what can be pulled."""
    from vega_trio.app.models import SOURCES, installed
    from vega_trio.cli.config import open_setup

    there = {model.name: model for model in installed(open_setup(Shared(ctx).home).home)}
    for name in sorted({*there, *SOURCES}):
        model = there.get(name)
        about = SOURCES[name].about if name in SOURCES else ""
        if as_json:
            path, size = (str(model.path), model.size_bytes) if model else (None, None)
            found = {"name": name, "installed": model is not None, "path": path, "size_bytes": size, "about": about}
            put(json.dumps(found) + "\n")
        else:
            state = str(model.path) if model else f"not installed: vega models pull {name}"
            put(f"{name}\t{state}" + (f"\t{about}" if about else "") + "\n")
    return 0


command = click.Group(
    "models",
    commands=[pull_command, list_command],
    params=shared_options(),
    help="Fetch and list models that run on this machine.",
)
