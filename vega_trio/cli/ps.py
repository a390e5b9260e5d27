"""`vega ps`."""

from __future__ import annotations

import json
from typing import Any

import click

from vega_trio.app.statuses import PROCESS_STATUSES
from vega_trio.cli.options import vega_command


@vega_command(name="ps")
@click.option("-a", "--all", "past", is_flag=True, help="Past processes too.")
@click.option("--status", type=click.Choice(PROCESS_STATUSES), help="Only those.")
@click.option("--agent", metavar="A", help="Only those of this agent.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def command(ctx: click.Context, past: bool, status: str | None, agent: str | None, as_json: bool) -> int:
    """List the processes of the server at --url, the newest first."""
    from vega_trio.cli.remote import remote_of
    from vega_trio.cli.terminal import put

    wanted = {name: value for name, value in (("status", status), ("agent", agent)) if value is not None}
    rows = [row for row in remote_of(ctx).pages("/api/processes", "id", **wanted) if past or status or _lives(row)]
    if as_json:
        for row in rows:
            put(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        put(listed(rows))
    return 0


def listed(rows: list[dict[str, Any]]) -> str:
    """Processes in columns."""
    from vega_trio.cli.table import dollars, table

    heads = ("id", "agent", "status", "inc", "started", "cost", "tools", "waits on", "name", "task")
    return table(
        heads,
        (
            (
                row["id"],
                row["agent"],
                row["status"],
                f"#{row['incarnation']}",
                row["started_at"][:19],
                dollars(row["metrics"]["cost_usd"]),
                row["metrics"]["tool_calls"],
                row.get("waiting_on"),
                row.get("name"),
                row.get("task") or row.get("exit_reason"),
            )
            for row in rows
        ),
    )


def _lives(row: dict[str, Any]) -> bool:
    return row["status"] in ("pending", "running")
