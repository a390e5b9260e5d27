"""Starts a server's program under a guardian, and ends it: with its descendants, whatever has become of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import attrs
import trio

from vega_trio.mcp.failures import McpUnavailable

GUARDIAN: Final = Path(__file__).with_name("guardian.py")
LEAVE_S: Final = 0.5  # for a server to end by itself once its input has ended
KILL_S: Final = 3.0  # for the guardian: its grace, and the time a busy machine needs


@attrs.frozen
class Program:
    """A running server: its guardian, a descriptor that becomes readable when that ends, and the server's streams."""

    guardian: subprocess.Popen[bytes]
    pidfd: int
    stdin: trio.lowlevel.FdStream
    stdout: trio.lowlevel.FdStream
    stderr: trio.lowlevel.FdStream


@contextlib.contextmanager
def start(command: tuple[str, ...], env: Mapping[str, str], cwd: Path | None) -> Iterator[Program]:
    """Starts the program; leaving closes its streams, and kills what `stop` was not called for.

    In Trio's own thread: the guardian's death signal follows the thread that started it.
    Raises: McpUnavailable.
    """
    argv = _resolved(command, env, cwd)
    with contextlib.ExitStack() as stack:
        guardian = _popen([sys.executable, "-I", "-S", str(GUARDIAN), str(os.getpid()), *argv], env, cwd)
        stack.callback(_make_sure, guardian)
        pidfd = os.pidfd_open(guardian.pid)
        stack.callback(os.close, pidfd)
        assert guardian.stdin is not None
        assert guardian.stdout is not None
        assert guardian.stderr is not None
        yield Program(guardian, pidfd, _stream(guardian.stdin), _stream(guardian.stdout), _stream(guardian.stderr))


def _resolved(command: tuple[str, ...], env: Mapping[str, str], cwd: Path | None) -> list[str]:
    """The command with its program found in the server's own PATH. Raises: McpUnavailable."""
    if sys.platform != "linux":
        raise McpUnavailable("MCP servers that are programs need Linux; reach it by its url instead")
    name, *arguments = command
    if cwd is not None and not cwd.is_dir():
        raise McpUnavailable(f"there is no directory {str(cwd)!r} to run {name!r} in; correct its cwd")
    if "/" in name:
        return [name, *arguments]
    found = shutil.which(name, path=env.get("PATH"))
    if found is None:
        raise McpUnavailable(f"there is no command {name!r}; install it, or correct the server's command or PATH")
    return [found, *arguments]


def _popen(argv: list[str], env: Mapping[str, str], cwd: Path | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - argv comes split, and no shell is between
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise McpUnavailable(f"{argv[5]!r} cannot be started: {error}") from error


def _stream(pipe: IO[bytes]) -> trio.lowlevel.FdStream:
    """The stream has a descriptor of its own, so that nothing else closes it."""
    fd = os.dup(pipe.fileno())
    pipe.close()
    return trio.lowlevel.FdStream(fd)


async def stop(program: Program) -> None:
    """Ends the program within seconds, cancelled or not: its input ends, then it is told to, then it is killed."""
    with trio.CancelScope(shield=True):
        await program.stdin.aclose()
        if not await _ended(program, LEAVE_S):
            program.guardian.send_signal(signal.SIGTERM)
            if not await _ended(program, KILL_S):
                program.guardian.kill()
                await _ended(program, KILL_S)
        program.guardian.poll()
        await program.stdout.aclose()
        await program.stderr.aclose()


async def _ended(program: Program, seconds: float) -> bool:
    with trio.move_on_after(seconds):
        await trio.lowlevel.wait_readable(program.pidfd)
        return True
    return False


def _make_sure(guardian: subprocess.Popen[bytes]) -> None:
    """For the case that nobody came to stop it. A guardian that was killed leaves its command to the kernel."""
    if guardian.poll() is None:
        guardian.kill()
        guardian.wait()
