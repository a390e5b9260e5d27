"""`vega tree`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from vega_trio.cli.options import vega_command


@vega_command(name="tree")
@click.option("--supervisors", is_flag=True, help="Who supervises whom, instead of who spawned whom.")
@click.option("--json", "as_json", is_flag=True, help="Print the tree as JSON.")
@click.pass_context
def command(ctx: click.Context, supervisors: bool, as_json: bool) -> int:
    """Show the processes of the server at --url as a tree, with their incarnations and restarts."""
    from vega_trio.cli.remote import remote_of
    from vega_trio.cli.terminal import put

    remote = remote_of(ctx)
    supervision = remote.get("/api/supervisors")
    found = supervision if supervisors else remote.get("/api/spawn-tree")
    if as_json:
        put(json.dumps(found, ensure_ascii=False) + "\n")
        return 0
    incarnations = {row["id"]: row["incarnation"] for row in remote.pages("/api/processes", "id")}
    if supervisors:
        lines = [line for node in found for line in _supervisor(node, incarnations)]
    else:
        used = dict(_restarts(supervision[0]))
        lines = [line for node in found for line in _spawned(node, incarnations, used)]
    put("".join(line + "\n" for line in lines) or "no process has run yet\n")
    return 0


def _spawned(node: dict[str, Any], incarnations: dict[str, int], used: dict[str, str]) -> list[str]:
    process_id = node["process_id"]
    words = [node["agent_name"] or node["task"] or "-", process_id, node["status"]]
    words += [f"#{incarnations[process_id]}" if process_id in incarnations else "", used.get(process_id, "")]
    below = [_spawned(child, incarnations, used) for child in node.get("children", [])]
    return drawn(_line(words), below)


def _supervisor(node: dict[str, Any], incarnations: dict[str, int]) -> list[str]:
    below = []
    for child in node["children"]:
        number = incarnations.get(child.get("process_id", ""))
        words = [child["id"], child.get("process_id", ""), child["status"], f"#{number}" if number else ""]
        line = _line([*words, child["restart"], _gauge(child)])
        inner = child.get("supervisor")
        below.append(drawn(line, [_supervisor(inner, incarnations)] if inner else []))
    return drawn(_line([node["id"], node["strategy"], _gauge(node)]), below)


def _restarts(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How often each process was restarted, of how often it may be."""
    for child in node["children"]:
        gauge = _gauge(child) or _gauge(node)
        if gauge and "process_id" in child:
            yield child["process_id"], gauge
        if "supervisor" in child:
            yield from _restarts(child["supervisor"])


def _gauge(entry: dict[str, Any]) -> str:
    most = entry.get("max_restarts")
    return f"restarts {entry['restarts_used']}/{most}" if most is not None else ""


def _line(words: list[str]) -> str:
    from vega_trio.cli.asking import visible

    return "  ".join(visible(word) for word in words if word)


def drawn(head: str, below: list[list[str]]) -> list[str]:
    """A node over its branches."""
    lines = [head]
    for number, (first, *rest) in enumerate(below, 1):
        last = number == len(below)
        lines.append(("`- " if last else "|- ") + first)
        lines += [("   " if last else "|  ") + line for line in rest]
    return lines
