"""`vega doctor`. Its checks are in `checkup.py`."""

from __future__ import annotations

import json

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="doctor")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, file: str | None, as_json: bool) -> int:
    """Check Python, the dashboard, FILE, keys, the database, the port and MCP commands; exits 1 when one is amiss.

    Each finding comes with its fix. Calls no model and starts nothing.
    """
    from vega_trio.cli.checkup import examine
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.terminal import put, safe

    found = examine(file, open_setup(Shared(ctx).home))
    ok = all(each.ok for each in found)
    if as_json:
        checks = [{"check": each.check, "ok": each.ok, "detail": each.detail, "fix": each.fix} for each in found]
        put(json.dumps({"ok": ok, "checks": checks}, ensure_ascii=False) + "\n")
        return 0 if ok else 1
    for each in found:
        put(safe(f"{'ok  ' if each.ok else 'FAIL'}  {each.check}: {each.detail}") + "\n")
        if each.fix:
            put(safe(f"      fix: {each.fix}") + "\n")
    return 0 if ok else 1
