"""`vega show agent|workflow NAME`."""

from __future__ import annotations

import json

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="show")
@click.argument("kind", type=click.Choice(["agent", "workflow"]), metavar="agent|workflow")
@click.argument("name", shell_complete=completing.shown)
@click.option(
    "-f",
    "--file",
    metavar="FILE",
    shell_complete=completing.files,
    help="A .vega.yaml or a directory (default: the only one here).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, kind: str, name: str, file: str | None, as_json: bool) -> int:
    """Show an agent or a workflow of FILE with everything that is set for it."""
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.details import agent_details, agent_lines, workflow_details, workflow_lines
    from vega_trio.cli.documents import choose_workflow, need_document, read_document
    from vega_trio.cli.terminal import put, safe
    from vega_trio.errors import UnknownAgent, did_you_mean

    setup = open_setup(Shared(ctx).home)
    document = read_document(need_document(file, f"show {kind} {name} --file"), setup)
    if kind == "workflow":
        workflow = choose_workflow(document, name)
        found, lines = workflow_details(workflow), workflow_lines(workflow)
    else:
        agent = document.agents.get(name)
        if agent is None:
            raise UnknownAgent(f"agent {name!r} is not defined{did_you_mean(name, document.agents)}")
        found, lines = agent_details(agent, document.settings), agent_lines(agent, document.settings)
    put(json.dumps(found, ensure_ascii=False) + "\n" if as_json else "".join(safe(line) + "\n" for line in lines))
    return 0
