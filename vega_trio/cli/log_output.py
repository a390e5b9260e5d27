"""The program's log: the loggers `vega_trio.*` on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping

from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import safe
from vega_trio.errors import ConfigError, did_you_mean

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a live display puts itself in its place and keeps its lines apart.

    `before` is called first, for who has left a line of the terminal open.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self._before = before

    def emit(self, record: logging.LogRecord) -> None:
        self._before()
        sys.stderr.write(safe(self.format(record)) + "\n")
        sys.stderr.flush()


def level_of(shared: Shared, env: Mapping[str, str]) -> int:
    """--debug, -v and -q, else `VEGA_LOG`, else warning. Raises: ConfigError."""
    if shared.debug:
        return logging.DEBUG
    if shared.verbose:
        return logging.INFO
    if shared.quiet:
        return logging.ERROR
    name = env.get("VEGA_LOG") or "warning"
    if name.lower() not in LEVELS:
        raise ConfigError(f"VEGA_LOG is {name!r}, which is no level{did_you_mean(name.lower(), LEVELS)}")
    return LEVELS[name.lower()]


def start_logging(shared: Shared, env: Mapping[str, str], before: Callable[[], None] = lambda: None) -> None:
    """Sends what the package logs to stderr; `before` as in `_Stderr`. Raises: ConfigError."""
    handler = _Stderr(before)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("vega_trio")
    logger.setLevel(level_of(shared, env))
    logger.addHandler(handler)
    logger.propagate = False
