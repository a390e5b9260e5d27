"""`vega list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command

if TYPE_CHECKING:
    from vega_trio.dsl.document import Document

KINDS = ("agents", "workflows", "tools")


@vega_command(name="list")
@click.argument("names", nargs=-1, metavar="[agents|workflows|tools] [FILE]", shell_complete=completing.kinds_or_files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> int:
    """List what FILE holds: its agents, workflows and tools, or only one kind of them.

    FILE is a .vega.yaml or a directory of them, by default the only one here.
    """
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import need_document, read_document
    from vega_trio.cli.summary import listing
    from vega_trio.cli.terminal import put

    kinds = [name for name in names if name in KINDS]
    files = [name for name in names if name not in KINDS]
    if len(kinds) > 1 or len(files) > 1:
        raise click.UsageError(f"give one kind ({', '.join(KINDS)}) and one FILE, not {' '.join(names)}")
    setup = open_setup(Shared(ctx).home)
    document = read_document(need_document(files[0] if files else None, "list"), setup)
    chosen = tuple(kinds) or KINDS
    if as_json:
        put(json.dumps({kind: _rows(document, kind) for kind in chosen}, ensure_ascii=False) + "\n")
    else:
        put(listing(document, chosen))
    return 0


def _rows(document: Document, kind: str) -> list[dict[str, object]]:
    settings = document.settings
    match kind:
        case "agents":
            return [
                {
                    "name": each.name,
                    "model": each.model or settings.default_model,
                    "description": each.description,
                    "tools": each.tools,
                    "team": each.team,
                }
                for each in document.agents.values()
            ]
        case "workflows":
            return [
                {"name": each.name, "description": each.description, "inputs": list(each.inputs)}
                for each in document.workflows.values()
            ]
        case _:
            return [{"name": each.name, "description": each.description} for each in document.tools.values()]
