"""`vega graph FILE`."""

from __future__ import annotations

import json

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="graph")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--workflow", metavar="W", shell_complete=completing.workflows, help="Draw only this workflow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the picture in its 'mermaid'.")
@click.pass_context
def command(ctx: click.Context, file: str | None, workflow: str | None, as_json: bool) -> int:
    """Draw FILE as a Mermaid flowchart: its workflows with their steps, its agents with their teams and tools.

    Paste the text into a Markdown page between ```mermaid and ```, or into https://mermaid.live.
    """
    from vega_trio.app.picture import picture
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import choose_workflow, need_document, read_document
    from vega_trio.cli.terminal import put

    setup = open_setup(Shared(ctx).home)
    document = read_document(need_document(file, "graph"), setup)
    chosen = None if workflow is None else choose_workflow(document, workflow)
    drawn = picture(document, chosen)
    put(json.dumps({"file": document.file, "workflow": workflow, "mermaid": drawn}) + "\n" if as_json else drawn)
    return 0
