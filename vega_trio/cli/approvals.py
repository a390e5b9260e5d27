"""`vega approvals`, and what `vega approve` and `vega deny` share with it."""

from __future__ import annotations

import json
from typing import Any

import click

from vega_trio.app.statuses import APPROVAL_STATUSES
from vega_trio.cli.options import vega_command
from vega_trio.cli.remote import path_of, remote_of


@vega_command(name="approvals")
@click.option(
    "--status", type=click.Choice([*APPROVAL_STATUSES, "all"]), default="pending", help="Which (default: pending)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def command(ctx: click.Context, status: str, as_json: bool) -> int:
    """List the tool calls of the server at --url that wait for a person, newest first."""
    from vega_trio.cli.terminal import put

    query = {} if status == "all" else {"status": status}
    for each in remote_of(ctx).get("/api/approvals", **query):
        put(json.dumps(each, ensure_ascii=False) + "\n" if as_json else shown(each))
    return 0


def shown(approval: dict[str, Any]) -> str:
    """One request in lines: its id, who asks for what, and why."""
    from vega_trio.cli.asking import visible

    arguments = json.dumps(approval["arguments"], ensure_ascii=False)
    head = f"{approval['id']}  {approval['status']}  {approval['agent']}: {approval['tool_name']} {arguments}"
    return visible(f"{head}\n    {approval['reason']}; until {approval['expires_at']}") + "\n"


def decide(ctx: click.Context, approval_id: str, body: dict[str, Any], *, as_json: bool) -> int:
    """Answers a request and says how it stands. Raises: Failure, when it was answered before or came too late."""

    from vega_trio.cli.terminal import put

    answer = remote_of(ctx).post(path_of("approvals", approval_id), body)
    put((json.dumps(answer, ensure_ascii=False) if as_json else f"{approval_id}: {answer['status']}") + "\n")
    return 0
