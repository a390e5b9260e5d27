"""`vega events`, and what `vega logs` shares with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vega_trio.cli.options import vega_command

if TYPE_CHECKING:
    from vega_trio.cli.remote import Remote

SHOWN = ("reason", "error", "tool_name", "workflow", "path", "message", "status", "model", "on", "attempt", "text")
"""What of an event's data a line tells, if it is there."""


@vega_command(name="events")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@click.option("-n", "count", type=click.IntRange(0, 500), default=20, help="How many past ones (default: 20).")
@click.option("--type", "types", metavar="T", default="", help="Only these, as process.*,workflow.failed.")
@click.option("--process", "process_id", metavar="ID", help="Only those of this process.")
@click.option("--agent", metavar="A", help="Only those of this agent.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def command(
    ctx: click.Context,
    follow: bool,
    count: int,
    types: str,
    process_id: str | None,
    agent: str | None,
    as_json: bool,
) -> int:
    """Print the events of the server at --url, the oldest first."""
    from vega_trio.cli.remote import remote_of

    given = {"process_id": process_id, "agent": agent}
    wanted = {name: value for name, value in given.items() if value is not None}
    show(remote_of(ctx), count, types, wanted, follow=follow, as_json=as_json)
    return 0


def show(remote: Remote, count: int, types: str, wanted: dict[str, str], *, follow: bool, as_json: bool) -> None:
    """Prints past events, and with `follow` those to come, from where the past ones end. Raises: Failure."""
    from vega_trio.cli.terminal import put

    for event in _found(remote, count, types, wanted, follow=follow):
        put(json.dumps(event, ensure_ascii=False) + "\n" if as_json else line_of(event))


def _found(remote: Remote, count: int, types: str, wanted: dict[str, str], *, follow: bool) -> Iterator[dict[str, Any]]:
    newest = remote.get("/api/events/log", limit=1)
    past = remote.get("/api/events/log", limit=count, type=types, **wanted) if count else []
    last = max([each["id"] for each in (*past, *newest)], default=0)
    yield from reversed(past)
    if not follow:
        return
    for event in remote.events("/api/events", after=str(last), query={"types": types, **wanted}):
        yield {"id": int(event.id) if event.id else None, **json.loads(event.data)}


def line_of(event: dict[str, Any]) -> str:
    """An event in one line."""
    from vega_trio.cli.asking import visible

    data = event.get("data", {})
    told = " ".join(f"{name}={json.dumps(data[name], ensure_ascii=False)}" for name in SHOWN if data.get(name))
    who = event.get("agent") or event.get("process_id") or ""
    words = (event.get("timestamp", ""), str(event.get("id") or ""), event["type"], who, told)
    return visible("  ".join(word for word in words if word))[:500] + "\n"
