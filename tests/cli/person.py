"""A person at a pseudo terminal."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from cli_shell import Shell

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1b\][^\x07]*\x07")


@attrs.define
class Person:
    """Types, and reads what comes; `seen` is what has come since the last wait, without escape sequences."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""
    all_seen: str = ""
    raw: str = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait_for(self, text: str) -> str:
        """Reads until `text` has come since the last call; returns what came before it."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            self._take(os.read(self.master, 65536))
        before, _, self.seen = self.seen.partition(text)
        return before

    def _take(self, data: bytes) -> None:
        news = data.decode(errors="replace")
        if "\x1b[6n" in news:  # where is the cursor?
            self.type("\x1b[1;1R")
        self.raw += news
        plain = _ESCAPES.sub("", news)
        self.seen += plain
        self.all_seen += plain

    def leave(self) -> int:
        """Reads to the end; returns the exit code."""
        deadline = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not leave: {self.seen!r}"
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                self._take(os.read(self.master, 65536))
        return self.process.returncode


@contextmanager
def at_terminal(vega: Shell, *args: str, code: int = 0, **env: str) -> Iterator[Person]:
    """Fails unless the program leaves by itself, with `code`, and the terminal as it was."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", "vega_trio", *args],
        cwd=vega.cwd,
        env=vega.env(**{"TERM": "xterm", **env}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    person = Person(process, master)
    try:
        yield person
        assert person.leave() == code, person.all_seen
        assert termios.tcgetattr(slave) == before, "the terminal is not as it was"
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
