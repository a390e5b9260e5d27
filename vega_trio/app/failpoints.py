"""Places where a test may have the program die or the disk fail: `VEGA_FAILPOINT=NAME:N[:kill|eio|enospc|delay]`.

It acts at the N-th pass of the place, once. Without the variable there is nothing but an empty call.
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from vega_trio.errors import ConfigError, did_you_mean

VARIABLE: Final = "VEGA_FAILPOINT"
NAMES: Final = (
    "before_begin",
    "after_begin",
    "before_effect",
    "after_effect",
    "before_finish",
    "in_commit",
    "after_commit",
    "before_ack",
    "in_migration",
)
IN_STORE: Final = ("in_commit", "after_commit", "in_migration")
ACTIONS: Final = ("kill", "eio", "enospc", "delay")
DELAY_S: Final = 0.25


@attrs.define
class Failpoint:
    """Called with the name of each place that is passed; counts its own. One place belongs to one thread."""

    name: str
    at: int
    action: str
    passed: int = 0

    def __call__(self, name: str) -> None:
        if name == self.name:
            self.passed += 1
            if self.passed == self.at:
                self._act()

    def _act(self) -> None:
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "delay":
                time.sleep(DELAY_S)  # a stall of the whole thread is what is wanted
            case "eio" | "enospc":
                raise self._error()

    def _error(self) -> Exception:
        full = self.action == "enospc"
        if self.name not in IN_STORE:
            code = errno.ENOSPC if full else errno.EIO
            return OSError(code, os.strerror(code))
        error = sqlite3.OperationalError("database or disk is full" if full else "disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_IOERR
        return error


def no_failpoint(_: str) -> None:
    """None is set."""


def failpoint_of(env: Mapping[str, str]) -> Callable[[str], None]:
    """The failpoint that the environment sets. Raises: ConfigError."""
    text = env.get(VARIABLE)
    if not text:
        return no_failpoint
    name, _, rest = text.partition(":")
    count, _, action = rest.partition(":")
    if name not in NAMES:
        raise ConfigError(f"{VARIABLE}={text!r}: there is no failpoint {name!r}{did_you_mean(name, NAMES)}")
    if not count.isascii() or not count.isdigit() or int(count) < 1:
        raise ConfigError(f"{VARIABLE}={text!r}: N must be a number from 1, as in {name}:1:kill")
    if action and action not in ACTIONS:
        raise ConfigError(f"{VARIABLE}={text!r}: there is no action {action!r}{did_you_mean(action, ACTIONS)}")
    return Failpoint(name, int(count), action or "kill")
