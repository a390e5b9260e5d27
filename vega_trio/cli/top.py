"""`vega top`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from vega_trio.cli.options import Shared, vega_command

if TYPE_CHECKING:
    from vega_trio.cli.remote import Remote

CLEAR = "\x1b[H\x1b[J"


@vega_command(name="top")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, one object a second.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """Watch the figures and the living processes of the server at --url; Ctrl-C ends it.

    Without a terminal it shows them once.
    """
    from vega_trio.cli.remote import remote_of
    from vega_trio.cli.terminal import can_animate, put

    remote = remote_of(ctx)
    live = can_animate(sys.stdout, no_color=Shared(ctx).no_color)
    if not live and not as_json:
        put(_screen(remote, remote.get("/api/stats")))
        return 0
    for event in remote.events("/api/events", query={"topics": "stats", "types": "server.stopping"}):
        if event.event != "stats":
            continue
        figures = json.loads(event.data)["data"]
        if as_json:
            put(json.dumps(figures) + "\n")
        else:
            sys.stdout.write(CLEAR)
            put(_screen(remote, figures))
    return 0


def _screen(remote: Remote, figures: dict[str, object]) -> str:
    from vega_trio.cli.ps import listed

    head = (
        f"up {figures['uptime']}   running {figures['running_processes']} of {figures['total_processes']}"
        f"   failed {figures['failed_processes']}   ${figures['total_cost_usd']:.4f}"
        f"   {figures['total_input_tokens']} in, {figures['total_output_tokens']} out"
    )
    return f"{head}\n\n{listed(list(remote.pages('/api/processes', 'id', status='running')))}"
