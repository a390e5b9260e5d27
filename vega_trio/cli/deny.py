"""`vega deny`."""

from __future__ import annotations

import click

from vega_trio.cli.approvals import decide
from vega_trio.cli.options import vega_command


@vega_command(name="deny")
@click.argument("approval_id", metavar="ID")
@click.option("--note", metavar="TEXT", default="", help="Why; the model is told.")
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
@click.pass_context
def command(ctx: click.Context, approval_id: str, note: str, as_json: bool) -> int:
    """Refuse the tool call ID of the server at --url. `vega approvals` lists those that wait."""
    return decide(ctx, approval_id, {"decision": "deny", "note": note}, as_json=as_json)
