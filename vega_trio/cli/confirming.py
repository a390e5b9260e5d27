"""A yes of the person at the terminal, before a command does what cannot be taken back."""

from __future__ import annotations

import sys

from vega_trio.cli.asking import YES, tell
from vega_trio.cli.failure import Failure, usage
from vega_trio.cli.terminal import is_terminal


def confirm(question: str, what: str = "") -> None:
    """Asks. `what` says on a pipe, where nobody can be asked, what is not done.

    Raises: Failure for anything but a yes.
    """
    if not is_terminal(sys.stdin):
        nobody = "there is no terminal here to ask on"
        raise usage(f"{what}, and {nobody}" if what else nobody, "give --yes")
    tell(f"{question} [y/N] ")
    if sys.stdin.readline().strip().lower() not in YES:
        raise Failure("nothing was done")
