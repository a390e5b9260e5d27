"""A program, run as a script: runs one command and sees to it that no process of it outlives whoever started us.

    python guardian.py HOST_PID COMMAND [ARGUMENT]...

Rules.
1. Every descendant is ours in the end: we are a subreaper, so an orphan, a daemon's too, becomes our child.
2. When the command ends, or our parent does (the kernel sends SIGTERM then), or we get SIGTERM, all of them end: the
   command is asked with SIGTERM and has `GRACE_S`, then everything is killed until there is nothing left.
3. Killed ourselves, the kernel kills the command (its death signal); that is all that can be done then.

It imports nothing of vega_trio and little else, because each server waits for it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

GRACE_S = 0.5
NOT_FOUND = 127
_PDEATHSIG, _CHILD_SUBREAPER = 1, 36  # prctl(2)
_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_WATCHED = (signal.SIGCHLD, *_ENDINGS)


def main(host: int, argv: list[str]) -> int:
    """The exit status: the command's, 128 and more for a signal."""
    libc = ctypes.CDLL(None)
    libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    libc.prctl(_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != host:
        return NOT_FOUND  # it died before the kernel knew to tell us
    us = os.getpid()
    command = os.fork()
    if command == 0:
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == us:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            _become(argv)
        os._exit(NOT_FOUND)
    for stream in (0, 1, 2):
        os.close(stream)  # the command's: held by us they would never end
    status = _watch(command)
    _kill_all()
    return status


def _become(argv: list[str]) -> None:
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - that is what this program is for
    except OSError as error:
        os.write(2, f"{argv[0]!r} cannot be started: {error.strerror}\n".encode())


def _watch(command: int) -> int:
    """Reaps until the command has ended, by itself or because it has to."""
    while True:
        number = signal.sigwait(_WATCHED)
        if number in _ENDINGS:
            os.kill(command, signal.SIGTERM)
            signal.sigtimedwait([signal.SIGCHLD], GRACE_S)
            os.kill(command, signal.SIGKILL)
        status = _reap(command, block=number in _ENDINGS)
        if status is not None:
            return status


def _reap(command: int, *, block: bool) -> int | None:
    """Takes leave of all that has ended. The command's exit status, once it is among them."""
    while True:
        pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
        if pid == 0:
            return None
        if pid == command:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kill_all() -> None:
    """Kills children until there are none: the children of those we kill become ours."""
    us = os.getpid()
    while True:
        with open(f"/proc/self/task/{us}/children") as file:
            children = [int(pid) for pid in file.read().split()]
        for pid in children:
            os.kill(pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
