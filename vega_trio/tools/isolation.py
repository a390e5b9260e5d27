"""Puts a command behind bubblewrap: its own namespaces, a read-only system, one writable directory, limits.

The limits are set by a fixed line of shell inside, where the count of processes is that of the sandbox: set outside,
it would count all of the user's. For root the kernel does not count processes at all; a pids cgroup does it then.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import attrs

from vega_trio.errors import ToolError
from vega_trio.tools.process import Command, Finished, run_process

CommandsSandbox = Literal["bwrap", "none"]

MAX_PROCESSES: Final = 256
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NO_BWRAP: Final = (
    "commands cannot be run: bubblewrap (bwrap), which isolates them, is not installed. Install it "
    "(Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap), or set settings.commands.sandbox: none "
    "to run commands without isolation"
)
# Core dumps, file size (POSIX: blocks of 512 bytes; 2 GiB), data (KiB; 4 GiB), descriptors.
_LIMITS: Final = "ulimit -c 0; ulimit -f 4194304; ulimit -d 4194304; ulimit -n 1024;"
_PROCESSES: Final = f"ulimit -u {MAX_PROCESSES} 2>/dev/null || ulimit -p {MAX_PROCESSES} 2>/dev/null;"  # bash; dash
_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC: Final = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_ETC_NETWORK: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates")


@attrs.frozen(kw_only=True)
class Isolation:
    """Where and how commands run. `workspace` is the one directory they may write to; `mode` None means bwrap."""

    workspace: Path
    mode: CommandsSandbox | None = None

    @property
    def bwrap(self) -> str | None:
        """The program that isolates, or None where commands run without."""
        return None if self.mode == "none" else shutil.which("bwrap")

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        cwd: str = ".",
        env: Mapping[str, str] | None = None,
        network: bool = False,
        unisolated: bool = False,
    ) -> Finished:
        """Runs `argv` in `cwd`, a path beneath the workspace that exists.

        `unisolated`: where bwrap is missing, run all the same, within limits; what the caller may do only with a
        text that is fixed. Raises: ToolError, also when there is no bwrap.
        """
        directory = self.workspace / cwd
        whole = {"PATH": PATH, "HOME": str(self.workspace), "LANG": "C.UTF-8", **(env or {})}
        bwrap = self.bwrap
        if bwrap is not None:
            # This shell is the namespace's first process and ends last. It runs the command instead of becoming it:
            # a first process is deaf to most signals, its own too.
            inside = ["/bin/sh", "-c", f'{_LIMITS} {_PROCESSES} "$@"; exit $?', "limits", *argv]
            with _counted() as counting:
                outer = [*counting, bwrap, *_bwrap_options(self.workspace, directory, network), "--", *inside]
                return _started_inside(await run_process(Command(argv=outer, env=whole), timeout_s))
        if self.mode != "none" and not unisolated:
            raise ToolError(NO_BWRAP)
        limited = ["/bin/sh", "-c", f'{_LIMITS} exec "$@"', "limits", *argv]
        return await run_process(Command(argv=[*_dying_with_us(), *limited], env=whole, cwd=directory), timeout_s)


def _bwrap_options(workspace: Path, directory: Path, network: bool) -> list[str]:
    # As first process the command's shell is what bwrap waits for: bwrap ends when the whole namespace has.
    options = ["--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL"]
    options += ["--share-net"] if network else []
    options += ["--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    for path in (*_ETC, *(_ETC_NETWORK if network else ())):
        options += ["--ro-bind-try", path, path]
    # The kernel's settings below /proc/sys ask for a user, not for a capability: root could write them, and they are
    # the whole machine's. bwrap covers only what it finds writable as a directory, which misses them.
    options += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    options += ["--tmpfs", "/tmp", "--bind", str(workspace), str(workspace)]  # noqa: S108 - a new one, inside
    return [*options, "--remount-ro", "/", "--chdir", str(directory)]


def _started_inside(finished: Finished) -> Finished:
    if finished.status and finished.output.startswith(b"bwrap: "):
        raise ToolError(
            f"commands cannot be isolated on this machine: {finished.text().strip()}. Allow user namespaces, or set "
            "settings.commands.sandbox: none to run commands without isolation"
        )
    return finished


@contextlib.contextmanager
def _counted() -> Iterator[list[str]]:
    """What to put before bwrap so that root's processes are counted too; nothing for other users, whose are."""
    group = _new_pids_cgroup() if os.geteuid() == 0 else None
    if group is None:
        yield []
        return
    try:
        yield ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', str(group)]
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def _new_pids_cgroup() -> Path | None:
    """A new control group for MAX_PROCESSES, or None where there is none to be had (a container's are read-only)."""
    for parent in _pids_cgroups():
        group = parent / f"vega-{os.getpid()}-{secrets.token_hex(8)}"
        try:
            _sweep(parent)
            group.mkdir()
            (group / "pids.max").write_text(str(MAX_PROCESSES))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            continue
        return group
    return None


def _sweep(parent: Path) -> None:
    """Removes the groups of programs that were killed before they could."""
    for left in parent.glob("vega-*"):
        if not Path("/proc", left.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                left.rmdir()


def _pids_cgroups() -> Iterator[Path]:
    """Version 1: below our own group. Version 2: beside it, since a group with processes has no limited children."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "pids" in controllers.split(","):
            yield Path("/sys/fs/cgroup/pids", path.lstrip("/"))
        elif not controllers:
            yield Path("/sys/fs/cgroup", path.lstrip("/")).parent


def _dying_with_us() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
