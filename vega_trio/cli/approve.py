"""`vega approve`."""

from __future__ import annotations

import json
from typing import Any

import click

from vega_trio.cli.approvals import decide
from vega_trio.cli.options import vega_command


@vega_command(name="approve")
@click.argument("approval_id", metavar="ID")
@click.option("--arguments", metavar="JSON", help="Make the call with these arguments instead.")
@click.option("--note", metavar="TEXT", default="", help="Kept with the answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
@click.pass_context
def command(ctx: click.Context, approval_id: str, arguments: str | None, note: str, as_json: bool) -> int:
    """Allow the tool call ID of the server at --url, once. `vega approvals` lists those that wait."""
    body: dict[str, Any] = {"decision": "approve", "note": note}
    if arguments is not None:
        body["arguments"] = _object(arguments)
    return decide(ctx, approval_id, body, as_json=as_json)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--arguments is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError('--arguments must be a JSON object, such as {"to": "ann"}')
    return value
