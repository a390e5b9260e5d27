"""`vega crashtest`."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command

if TYPE_CHECKING:
    from vega_trio.testing.crashtest import CrashReport


@vega_command(name="crashtest")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--kills", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How often to kill it.")
@click.option(
    "--workflow",
    metavar="W",
    shell_complete=completing.workflows,
    help="The workflow to run; a document's only one is the default.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides when to kill; the same again repeats.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as one JSON object.")
@click.pass_context
def command(ctx: click.Context, file: str | None, kills: int, workflow: str | None, seed: int, as_json: bool) -> int:
    """Run a workflow of FILE with a scripted model in a program that is killed (SIGKILL), and check what it leaves.

    Half of the kills are at random moments, half at the boundaries of the journal. The agents get two tools that
    report to a ledger outside of the program, and none of their own, so nothing of yours is touched. Prints a table;
    exits 1 when a promise was broken.
    """
    from importlib.util import find_spec

    import trio

    from vega_trio.app.disk import Disk
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import need_document
    from vega_trio.cli.failure import usage
    from vega_trio.dsl.parse import parse_document
    from vega_trio.errors import MissingExtra
    from vega_trio.testing.crashtest import crashtest

    if find_spec("sqlite_utils") is None:  # the program that is killed would say so, in a traceback
        raise MissingExtra("store", "vega crashtest")
    shared = Shared(ctx)
    setup = open_setup(shared.home)
    source = need_document(file, "crashtest")
    document = parse_document(source, Disk(), env={**setup.env, "VEGA_MODEL": "demo"}).document
    if workflow is None and len(document.workflows) == 1:
        workflow = next(iter(document.workflows))
    if workflow is None or workflow not in document.workflows:
        raise usage(f"{source} has the workflows: {', '.join(document.workflows) or 'none'}", "name one: --workflow W")

    def progress(report: CrashReport) -> None:
        if not shared.quiet:
            click.echo(f"\rkill {report.kills} of {kills}", nl=False, err=True)

    with tempfile.TemporaryDirectory(prefix="vega-crashtest-") as folder:
        test = partial(
            crashtest, source, workflow=workflow, kills=kills, directory=Path(folder), seed=seed, on_kill=progress
        )
        report = trio.run(test)
    if not shared.quiet:
        click.echo("", err=True)
    click.echo(json.dumps(figures(report)) + "\n" if as_json else table(report), nl=False)
    return 1 if report.wrong else 0


def figures(report: CrashReport) -> dict[str, object]:
    """The report for programs."""
    counted = ("seed", "kills", "by_place", "steps", "lost", "calls", "repeated_acts", "repeated_reads", "wrong")
    ends = {"started": len(report.started), "ended": len(report.ended)}
    return {name: getattr(report, name) for name in counted} | ends


def table(report: CrashReport) -> str:
    """The report for people."""
    places = ", ".join(f"{place} {count}" for place, count in sorted(report.by_place.items()))
    rows = {
        "seed": report.seed,
        "kills": f"{report.kills} ({places})",
        "runs started and acknowledged": len(report.started),
        "runs ended and acknowledged": len(report.ended),
        "calls acknowledged": report.steps,
        "acknowledged and lost": report.lost,
        "tool calls that had an effect": report.calls,
        "effects repeated that must not be": report.repeated_acts,
        "reads that were repeated": report.repeated_reads,
        "promises broken": len(report.wrong),
    }
    lines = [f"{name:36}{value}\n" for name, value in rows.items()]
    return "".join([*lines, *(f"  {each}\n" for each in report.wrong)])
