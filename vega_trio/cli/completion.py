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

    bash: eval "$(vega completion bash)" in ~/.bashrc; zsh: eval "$(vega completion zsh)" in ~/.zshrc, below compinit;
    fish: vega completion fish | source, in ~/.config/fish/config.fish.
    """
    from vega_trio.cli.main import root
    from vega_trio.cli.shells import completion

    made = completion(shell, root())
    # click's `source()` asks an installed bash for its version; the text alone needs none.
    put(made.source_template % made.source_vars() + "\n")
    return 0
