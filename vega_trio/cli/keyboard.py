"""Keys that are pressed while an answer comes: the terminal hands them over one by one, unechoed."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

ESCAPE_S = 0.05  # the rest of an escape sequence comes at once; a lone Esc is followed by nothing
ESCAPE, CTRL_D, CTRL_O = b"\x1b", b"\x04", b"\x0f"


@contextmanager
def single_keys() -> Iterator[None]:
    """The terminal without line editing and echo; Ctrl-C stays a signal. As it was, afterwards."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def same_terminal() -> Iterator[None]:
    """Leaves the terminal as it was, whatever happens within."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def listen(react: Callable[[bytes], None]) -> None:
    """Calls `react` with each key: ESCAPE alone, or what one reading gave. Never returns."""
    descriptor = sys.stdin.fileno()
    while True:
        await trio.lowlevel.wait_readable(descriptor)
        pressed = os.read(descriptor, 1024)
        if not pressed:
            await trio.sleep_forever()
        if pressed == ESCAPE:
            with trio.move_on_after(ESCAPE_S):
                await trio.lowlevel.wait_readable(descriptor)
                pressed += os.read(descriptor, 1024)
        react(pressed)
