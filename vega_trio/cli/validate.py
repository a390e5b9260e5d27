"""`vega validate`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command

if TYPE_CHECKING:
    from vega_trio.diagnostics import Diagnostic


@vega_command(name="validate")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--strict", is_flag=True, help="Exit 3 when there are warnings.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.pass_context
def command(ctx: click.Context, file: str | None, strict: bool, as_json: bool) -> int:
    """Check FILE: a .vega.yaml or a directory of them, by default the only one here.

    Prints "Valid: FILE", with --verbose also what it holds. Findings go to stderr.
    """
    from vega_trio.app.disk import Disk
    from vega_trio.app.models import providers
    from vega_trio.app.plugins import REGISTRY, plugins
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import environment, need_document
    from vega_trio.cli.failure import USAGE, WARNINGS
    from vega_trio.cli.summary import summary
    from vega_trio.cli.terminal import put, safe
    from vega_trio.dsl.parse import parse_document
    from vega_trio.errors import DocumentError

    shared = Shared(ctx)
    setup = open_setup(shared.home)
    source = need_document(file, "validate")
    try:
        env = environment(setup, source, None)
        isolated = shutil.which("bwrap") is not None
        parsed = parse_document(
            source,
            Disk(),
            env=env,
            providers=providers(),
            registry=REGISTRY,
            tools=plugins(),
            isolated=isolated,
        )
    except DocumentError as error:
        if not as_json:
            raise
        _print_json(source, error.diagnostics)
        return USAGE
    if as_json:
        _print_json(source, parsed.warnings)
    else:
        for each in parsed.warnings:
            click.echo(safe(str(each)), err=True)
        put(f"Valid: {source}\n")
        if shared.verbose:
            put(summary(parsed.document))
    return WARNINGS if strict and parsed.warnings else 0


def _print_json(source: str, diagnostics: Sequence[Diagnostic]) -> None:
    from vega_trio.cli.terminal import put

    valid = not any(each.severity == "error" for each in diagnostics)
    findings = [each.shown() for each in diagnostics]
    put(json.dumps({"valid": valid, "file": source, "diagnostics": findings}, ensure_ascii=False) + "\n")
