"""`vega run`: its options. What it does is in `runner.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, VegaCommand, shared_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from vega_trio.cli.runner import Request

OPTIONS: dict[str, Any] = {
    "--workflow": {
        "metavar": "W",
        "shell_complete": completing.workflows,
        "help": "The workflow to run; a document's only one is the default.",
    },
    "--task": {"metavar": "TEXT", "help": "The primary input."},
    "--input": {
        "metavar": "X",
        "shell_complete": completing.files,
        "help": "'-' (stdin), a file, JSON text with inputs by name, else the primary input.",
    },
    "--set": {"metavar": "NAME=VALUE", "multiple": True, "help": "An input by name; also --NAME VALUE."},
    "--timeout": {"metavar": "30m", "help": "End the run after this time, with exit code 124."},
    "--output": {
        "metavar": "F",
        "shell_complete": completing.formats_or_files,
        "help": "text, json, yaml, or a path (default: text).",
    },
    "--model": {
        "metavar": "M",
        "shell_complete": completing.models,
        "help": "The model for all agents: demo, local, or PROVIDER:NAME.",
    },
    "--db": {
        "metavar": "PATH",
        "shell_complete": completing.files,
        "help": "Keep events and conversations in this database (default: in memory).",
    },
    "--resume": {"metavar": "ID", "help": "Go on with the run of that id, which a killed program left in --db."},
    "--approve": {"metavar": "TOOL", "multiple": True, "help": "Allow calls of this tool in advance (also TOOL_*)."},
    "--dry-run": {"is_flag": True, "help": "Show the steps and messages, answers as <name>, without calling a model."},
}


class RunCommand(VegaCommand):
    """Takes `--NAME VALUE` for the inputs that only the document knows, and keeps the order in which they came."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from vega_trio.cli.inputs import split_arguments

        takes_value = {
            name: not option.is_flag
            for option in self.get_params(ctx)
            if isinstance(option, click.Option)
            for name in (*option.opts, *option.secondary_opts)
        }
        if ctx.resilient_parsing and args and args[-1].startswith("--"):
            args = args[:-1]  # a shell completes its value, so it has none yet
        rest, ctx.meta["inputs"] = split_arguments(args, takes_value)
        ctx.meta["options"] = [name for name in takes_value if name.startswith("--")]
        return super().parse_args(ctx, rest)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Its options, and the inputs."""
        options = super().shell_complete(ctx, incomplete)
        return [*options, *completing.inputs(ctx, incomplete, ctx.meta.get("options", ()))]


def _run(file: str | None, **options: Any) -> int:
    from vega_trio.cli.runner import run_document

    ctx = click.get_current_context()
    return run_document(request_of(ctx, file, options), Shared(ctx))


def request_of(ctx: click.Context, file: str | None, options: Mapping[str, Any]) -> Request:
    """The call as given, inputs in their order."""
    from vega_trio.cli.runner import Request

    return Request(
        file=file,
        workflow=options["workflow"],
        given=tuple(ctx.meta["inputs"]),
        options=tuple(ctx.meta["options"]),
        timeout=options["timeout"],
        output="json" if options["as_json"] and options["output"] is None else options["output"],
        model=options["model"],
        db=options["db"],
        resume=options["resume"],
        dry_run=options["dry_run"],
        approve=options["approve"],
    )


command = RunCommand(
    "run",
    callback=_run,
    params=[
        click.Argument(["file"], required=False, shell_complete=completing.files),
        *(click.Option([name], **settings) for name, settings in OPTIONS.items()),
        click.Option(["--json", "as_json"], is_flag=True, help="The same as --output json."),
        *shared_options(),
    ],
    help=(
        "Run a workflow of FILE and print its result. FILE is a .vega.yaml or a directory of them, by default the "
        "only one here.\n\nEvery input of the workflow can be given as --NAME VALUE. What is piped in is the primary "
        "input if nothing else gives it. Of several values for an input the last one wins."
    ),
)
