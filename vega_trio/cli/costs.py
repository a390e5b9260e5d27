"""`vega costs`."""

from __future__ import annotations

import json

import click

from vega_trio.cli.options import vega_command


@vega_command(name="costs")
@click.option("--by", type=click.Choice(["agent", "model", "process", "day"]), default="agent", help="(default: agent)")
@click.option("--since", metavar="TIME", help="Only from then on, as 2026-11-22T00:00:00Z.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(ctx: click.Context, by: str, since: str | None, as_json: bool) -> int:
    """Show what was spent on the server at --url, and how much of it by turns that failed."""
    from vega_trio.cli.remote import remote_of
    from vega_trio.cli.table import dollars, table
    from vega_trio.cli.terminal import put

    found = remote_of(ctx).get("/api/costs", by=by, **({} if since is None else {"since": since}))
    if as_json:
        put(json.dumps(found, ensure_ascii=False) + "\n")
        return 0
    heads = (by, "cost", "input", "output", "calls")
    names = ("key", "cost_usd", "input_tokens", "output_tokens", "calls")
    rows = [[dollars(row[name]) if name == "cost_usd" else row[name] for name in names] for row in found["rows"]]
    limit = found["budget"].get("limit_usd")
    budget = "" if limit is None else f"; {dollars(found['budget']['spent_usd'])} of {dollars(limit)} budget spent"
    put(table(heads, rows) + f"total {dollars(found['total_usd'])}, wasted {dollars(found['wasted_usd'])}{budget}\n")
    return 0
