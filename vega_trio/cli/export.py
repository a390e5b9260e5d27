"""`vega export`: its commands and options. What `config` shows is in `export_config.py`."""

from __future__ import annotations

import click

from vega_trio.cli.options import Shared, shared_options, vega_command


@vega_command(name="config")
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def config_command(ctx: click.Context, file: str | None, as_json: bool) -> int:
    """Print the configuration that holds for FILE here, as YAML, with what decided where several could.

    All of it is there: the flags' defaults, the environment, the document with its variables put in and its defaults
    filled in, and config.yaml. Secrets are shown as ***, so that it can go into a report of a fault.
    """
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import choose_document
    from vega_trio.cli.export_config import effective
    from vega_trio.cli.output import render
    from vega_trio.cli.terminal import put

    found = effective(choose_document(file), open_setup(Shared(ctx).home))
    put(render(found, "json" if as_json else "yaml"))
    return 0


command = click.Group(
    "export",
    commands=[config_command],
    params=shared_options(),
    help="Print the configuration that holds.",
)
