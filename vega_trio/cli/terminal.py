"""What may be written to a terminal: colour or none, and text that cannot steer it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import IO

_CONTROLS: dict[int, int | None] = {
    **{code: 0x2400 + code for code in range(0x20)},  # the symbols Unicode has for them
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    0x7F: 0x2421,
    ord("\r"): None,
    ord("\n"): ord("\n"),
    ord("\t"): ord("\t"),
}


def safe(text: str) -> str:
    """`text` without control characters, so that what a model or a tool says cannot send escape sequences."""
    return text.translate(_CONTROLS)


def put(text: str) -> None:
    """Writes a result to stdout: made safe for a terminal, and as it is into a pipe or file.

    Not `click.echo`, which takes escape sequences, that are part of the result, out of what goes into a pipe.

    Raises: OSError, whose file name is "stdout".
    """
    try:
        sys.stdout.write(safe(text) if is_terminal(sys.stdout) else text)
        sys.stdout.flush()
    except OSError as error:
        error.filename = "stdout"
        raise


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person watches the stream. A closed stream has nobody."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def wants_color(stream: IO[str], *, no_color: bool = False, env: Mapping[str, str] = os.environ) -> bool:
    """Colour on a capable terminal. `NO_COLOR` and `--no-color` forbid it; `FORCE_COLOR` asks for it anywhere."""
    if no_color or env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and env.get("TERM") != "dumb"


def can_animate(stream: IO[str], *, no_color: bool = False, env: Mapping[str, str] = os.environ) -> bool:
    """Whether lines may be repainted: on a capable terminal whose user has not asked for plain text."""
    return is_terminal(stream) and env.get("TERM") != "dumb" and not no_color and not env.get("NO_COLOR")
