"""Runs one command to its end: output bounded, and its whole tree gone whenever the call is over.

`subprocess.Popen` in Trio's own thread, not `trio.open_process`: bubblewrap's death signal follows the thread that
spawned it, and Trio's worker threads end after ten idle seconds. The 2 ms it blocks are the price.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import trio

from vega_trio._core.capping import OUTPUT_LIMIT, cut
from vega_trio.errors import ToolError

MAX_OUTPUT: Final = 10 * 1024 * 1024  # bytes after which a command that floods is stopped
GRACE_S: Final = 1.0  # for output still in the pipe when the command has ended
KILL_S: Final = 5.0  # for the kernel to end what was killed
MAX_TREE: Final = 4096


@attrs.frozen(kw_only=True)
class Command:
    """`argv[0]` is looked up in our own PATH; `env` is the whole environment, `pass_fds` are inherited."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    pass_fds: tuple[int, ...] = ()


@attrs.define
class Finished:
    """How a command ended. `status` is its exit status, negative for a signal, None when it was stopped by us.

    `output` is the first 64 KiB of what it wrote to stdout and stderr; `total` counts all of it.
    """

    status: int | None = None
    output: bytearray = attrs.field(factory=bytearray)
    total: int = 0

    @property
    def flooded(self) -> bool:
        return self.total > MAX_OUTPUT

    def text(self) -> str:
        if self.total <= len(self.output):
            return self.output.decode("utf-8", "replace")
        return cut(bytes(self.output), self.total)


async def run_process(command: Command, timeout_s: float) -> Finished:
    """Returns when the command has ended, or `timeout_s` have passed, or it wrote too much.

    Raises: ToolError when it cannot be started. Cancelling kills it; nothing of it is left in either case, but for
    a process of an unisolated command that left its session and its parents.
    """
    finished = Finished()
    with _started(command) as (process, pidfd, pipe):
        try:
            with trio.move_on_after(timeout_s):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_collect, pipe, finished, nursery.cancel_scope)
                    await trio.lowlevel.wait_readable(pidfd)
                    # The zombie still holds its number, so its group cannot be anybody else's yet.
                    _kill_group(process.pid)
                    finished.status = process.wait()
                    nursery.cancel_scope.deadline = trio.current_time() + GRACE_S
        finally:
            if process.returncode is None:
                await _kill_tree(process, pidfd)
    return finished


@contextlib.contextmanager
def _started(command: Command) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The process, a descriptor that becomes readable when it ends, and one to read its output from."""
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        try:
            process = subprocess.Popen(  # noqa: S603 - argv comes split, and no shell is between
                list(command.argv),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(command.env),
                cwd=command.cwd,
                start_new_session=True,
                pass_fds=command.pass_fds,
            )
        except (OSError, ValueError) as error:
            raise ToolError(f"{command.argv[0]!r} cannot be started: {error}") from error
        finally:
            os.close(writing)
        pidfd = os.pidfd_open(process.pid)
        stack.callback(os.close, pidfd)
        os.set_blocking(reading, False)
        yield process, pidfd, reading


async def _collect(pipe: int, finished: Finished, scope: trio.CancelScope) -> None:
    while True:
        await trio.lowlevel.wait_readable(pipe)
        try:
            data = os.read(pipe, 65536)
        except BlockingIOError:
            continue
        if not data:
            return
        finished.total += len(data)
        finished.output += data[: OUTPUT_LIMIT - len(finished.output)]
        if finished.flooded:
            scope.cancel()


async def _kill_tree(process: subprocess.Popen[bytes], pidfd: int) -> None:
    """Kills the process, its group and all its descendants, and sees them end.

    In a PID namespace that is exact: its first process is among the descendants, and does not end before all
    others have.
    """
    with contextlib.ExitStack() as stack:
        tree = [pidfd]
        for pid in _descendants(process.pid):
            with contextlib.suppress(ProcessLookupError):
                tree.append(os.pidfd_open(pid))
                stack.callback(os.close, tree[-1])
        for each in tree:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(each, signal.SIGKILL)
        _kill_group(process.pid)
        with trio.CancelScope(shield=True), trio.move_on_after(KILL_S):
            for each in tree:
                await trio.lowlevel.wait_readable(each)
    process.poll()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < MAX_TREE:
        parent = waiting.pop()
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += map(int, children)
        waiting += map(int, children)
    return found
