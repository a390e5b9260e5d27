"""`vega completion`."""

from __future__ import annotations

import click

from vega_trio.cli.options import vega_command
from vega_trio.cli.terminal import put

SHELLS = ("bash", "zsh", "fish")


@vega_command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """Print what makes SHELL (bash, zsh or fish) complete the words of vega.

    bash: eval "$(vega completion bash)" in ~/.bashrc; zsh the same in ~/.zshrc; fish: vega completion fish | source.
    """
    from click.shell_completion import get_completion_class

    from vega_trio.cli.main import root

    found = get_completion_class(shell)
    assert found is not None
    # click's bash class asks an installed bash for its version; the text alone needs none.
    values = found(root(), {}, "vega", "_VEGA_COMPLETE").source_vars()
    put(found.source_template % values + "\n")
    return 0
