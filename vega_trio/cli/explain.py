"""`vega explain CODE`."""

from __future__ import annotations

import json

import attrs
import click

from vega_trio.cli import completing
from vega_trio.cli.options import vega_command


@vega_command(name="explain")
@click.argument("code", shell_complete=completing.codes)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(code: str, as_json: bool) -> int:
    """Explain a code such as V012, with a wrong and a right example."""
    from vega_trio.cli.failure import usage
    from vega_trio.cli.terminal import put
    from vega_trio.dsl.explain import EXPLANATIONS, explain
    from vega_trio.suggest import remedy

    text = explain(code)
    if text is None:
        raise usage(f"there is no code {code!r}", remedy(code.upper(), EXPLANATIONS, "the codes are"))
    if as_json:
        text = json.dumps(attrs.asdict(EXPLANATIONS[code.strip().upper()]), ensure_ascii=False) + "\n"
    put(text)
    return 0
