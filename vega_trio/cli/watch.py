"""`vega watch`: the options of `vega run`, again and again."""

from __future__ import annotations

from typing import Any

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options
from vega_trio.cli.run import OPTIONS, RunCommand, request_of

_NOT_AGAIN = ("--resume",)


def _watch(file: str | None, **options: Any) -> int:
    from vega_trio.cli.watching import watch_document

    ctx = click.get_current_context()
    return watch_document(request_of(ctx, file, {**options, "resume": None}), Shared(ctx))


command = RunCommand(
    "watch",
    callback=_watch,
    params=[
        click.Argument(["file"], required=False, shell_complete=completing.files),
        *(click.Option([name], **settings) for name, settings in OPTIONS.items() if name not in _NOT_AGAIN),
        click.Option(["--json", "as_json"], is_flag=True, help="The same as --output json."),
        *shared_options(),
    ],
    help=(
        "Run a workflow of FILE, and again whenever a file of its project changes, until Ctrl-C.\n\nA run that is "
        "under way when something changes is cancelled. Inputs are given as to vega run; stdin is not read."
    ),
)
