"""`vega version`."""

from __future__ import annotations

import json
import platform

import click

from vega_trio._version import __version__
from vega_trio.cli.options import vega_command
from vega_trio.cli.terminal import put


@vega_command(name="version")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Print the version of vega."""
    if as_json:
        put(json.dumps({"version": __version__, "python": platform.python_version()}) + "\n")
    else:
        put(f"vega {__version__}\n")
    return 0
