"""Commands: isolated, bounded, and gone with everything they started when the call is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.errors import ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.isolation import MAX_PROCESSES, NO_BWRAP, Isolation
from vega_trio.tools.sandbox import Sandbox
from vega_trio.tools.shell import command_text, run_command_tool

Call = Callable[..., Awaitable[str]]
LONG = "60.19"  # seconds that tell these tests' sleepers from everybody else's


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


@pytest.fixture
def isolated(workspace: Path) -> Tool:
    return run_command_tool(Sandbox(workspace))


@pytest.fixture
def bare(workspace: Path) -> Tool:
    return run_command_tool(Sandbox(workspace), "none")


@pytest.fixture(params=["bwrap", "none"])
def either(request: pytest.FixtureRequest, workspace: Path) -> Tool:
    return run_command_tool(Sandbox(workspace), request.param)


# -- what a command gives


@pytest.mark.e2e
async def test_a_line_of_shell_runs_in_the_workspace(either: Tool, workspace: Path, call: Call) -> None:
    with trio.fail_after(30):
        assert await call(either, command="pwd; echo two >&2; echo x > f") == f"{workspace}\ntwo\n"
        assert await call(either, command="mkdir sub; cat f") == "x\n"
        assert await call(either, command="pwd", cwd="sub") == f"{workspace}/sub\n"


@pytest.mark.e2e
async def test_a_failure_is_told_with_the_output(either: Tool, call: Call) -> None:
    with trio.fail_after(30):
        with pytest.raises(ToolError, match=r"^the command failed with exit status 3\nsorry$"):
            await call(either, command="echo sorry; exit 3")
        with pytest.raises(ToolError, match=r"^the command was ended by signal 15"):
            await call(either, command="kill -TERM $$")


@pytest.mark.parametrize("cwd", ["..", "/", "/etc", "link"])
async def test_a_directory_outside_is_refused(either: Tool, workspace: Path, call: Call, cwd: str) -> None:
    os.symlink("/etc", workspace / "link")
    with trio.fail_after(5), pytest.raises(ToolError, match="path escapes sandbox"):
        await call(either, command="pwd", cwd=cwd)


async def test_a_directory_that_is_none_and_bad_arguments_are_told(either: Tool, call: Call) -> None:
    with trio.fail_after(30):
        with pytest.raises(ToolError, match="'none': there is no such file"):
            await call(either, command="pwd", cwd="none")
        for timeout in (0, -1, 601):
            with pytest.raises(ToolRetry, match="'timeout' must be"):
                await call(either, command="pwd", timeout=timeout)
        with pytest.raises(ToolRetry, match="NUL"):
            await call(either, command="echo a\0b")


@pytest.mark.e2e
async def test_the_output_is_cut_and_a_flood_is_stopped(either: Tool, call: Call) -> None:
    with trio.fail_after(30):
        text = await call(either, command="head -c 100000 /dev/zero | tr '\\0' x")
        assert text == "x" * 65_024 + "\n[output truncated: cut after 65,024 of 100,000 bytes]"
        with pytest.raises(ToolError, match="wrote more than 10,485,760 bytes and was stopped"):
            await call(either, command="yes")


@pytest.mark.e2e
async def test_what_is_no_unicode_is_shown_all_the_same(either: Tool, call: Call) -> None:
    with trio.fail_after(30):
        assert await call(either, command="printf 'a\\377b'") == "a�b"


# -- isolation


@pytest.mark.e2e
async def test_the_environment_is_not_ours(
    either: Tool, workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary")
    with trio.fail_after(5):
        names = {line.partition("=")[0] for line in (await call(either, command="env")).splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}


@pytest.mark.e2e
async def test_there_is_no_network(isolated: Tool, call: Call) -> None:
    with trio.fail_after(30):
        interfaces = await call(isolated, command="tail -n +3 /proc/net/dev | cut -d: -f1; tail -n +2 /proc/net/route")
    assert interfaces.split() == ["lo"]


@pytest.mark.e2e
async def test_a_service_on_loopback_is_not_reached(server: Any, isolated: Tool, call: Call) -> None:
    code = f"import socket; socket.create_connection(('127.0.0.1', {server.port}))"
    with trio.fail_after(30), pytest.raises(ToolError, match="Connection refused"):
        await call(isolated, command=f'python3 -c "{code}"')


@pytest.mark.e2e
@pytest.mark.parametrize("path", ["/x", "/usr/x", "/etc/x", "/bin/x", "/proc/sys/vm/swappiness"])
async def test_the_system_cannot_be_written(isolated: Tool, call: Call, path: str) -> None:
    with trio.fail_after(30), pytest.raises(ToolError, match="Read-only file system"):
        await call(isolated, command=f"value=$(cat {path} 2>/dev/null); echo $value > {path}")


@pytest.mark.e2e
async def test_what_is_written_beside_the_workspace_never_existed(isolated: Tool, workspace: Path, call: Call) -> None:
    with trio.fail_after(30):
        await call(isolated, command=f"echo x > {workspace.parent}/x; echo x > /tmp/vega-test-x")
    assert [each.name for each in workspace.parent.iterdir()] == ["workspace"]
    assert "vega-test-x" not in os.listdir("/tmp")


@pytest.mark.e2e
async def test_the_files_of_the_machine_cannot_be_seen(isolated: Tool, workspace: Path, call: Call) -> None:
    (workspace.parent / "secret").write_text("canary")
    with trio.fail_after(5):
        for path in (workspace.parent / "secret", "/etc/shadow", "/etc/passwd", "/root", "/home", "/sys", "/run"):
            with pytest.raises(ToolError, match="No such file"):
                await call(isolated, command=f"ls {path}")


@pytest.mark.e2e
async def test_there_are_no_capabilities_and_none_of_our_processes(isolated: Tool, call: Call) -> None:
    with trio.fail_after(30):
        capabilities = await call(isolated, command="grep Cap /proc/self/status | cut -f2 | sort -u")
        assert capabilities.split() == ["0000000000000000"]
        numbers = await call(isolated, command="ls /proc | grep -c '^[0-9]'")
    assert int(numbers) < 8


@pytest.mark.e2e
async def test_a_fork_bomb_is_bounded_and_leaves_nothing(
    isolated: Tool, call: Call, resources: Callable[[], Any]
) -> None:
    before = resources()
    # Its own shell may be the one that cannot fork any more, and end before its time.
    with trio.fail_after(20), pytest.raises(ToolError, match=r"(?s)(was stopped|exit status).*[Cc]annot fork"):
        await call(isolated, command="bomb() { bomb | bomb & }; bomb; sleep 60", timeout=0.5)
    assert resources() == before


@pytest.mark.e2e
async def test_more_processes_than_the_limit_cannot_be_started(isolated: Tool, call: Call) -> None:
    line = f"for i in $(seq {MAX_PROCESSES + 50}); do sleep {LONG} & done; echo never"
    with trio.fail_after(30), pytest.raises(ToolError, match=r"Cannot fork|Resource temporarily unavailable"):
        await call(isolated, command=line, timeout=5)


# -- nothing is left behind


ESCAPERS = [
    f"sleep {LONG}",
    f"sleep {LONG} & sleep {LONG}",
    f"(sleep {LONG} &) ; sleep {LONG}",
    f"trap '' TERM INT HUP; sleep {LONG}",
]
DETACHED = [f"setsid sleep {LONG} & sleep {LONG}", f"(setsid sh -c 'sleep {LONG} >/dev/null 2>&1' &) ; sleep {LONG}"]


@pytest.mark.e2e
@pytest.mark.parametrize("line", ESCAPERS + DETACHED)
async def test_a_timeout_leaves_no_process_and_no_descriptor(
    isolated: Tool, call: Call, resources: Callable[[], Any], line: str
) -> None:
    before = resources()
    with trio.fail_after(5), pytest.raises(ToolError, match=r"longer than 0\.1 s and was stopped"):
        await call(isolated, command=f"echo started; {line}", timeout=0.1)
    assert resources() == before
    assert not _sleepers()


@pytest.mark.e2e
@pytest.mark.parametrize("line", ESCAPERS)
async def test_a_timeout_leaves_nothing_of_an_unisolated_command_either(
    bare: Tool, call: Call, resources: Callable[[], Any], line: str
) -> None:
    before = resources()
    with trio.fail_after(5), pytest.raises(ToolError, match=r"longer than 0\.1 s and was stopped"):
        await call(bare, command=line, timeout=0.1)
    assert resources() == before
    assert not _sleepers()


@pytest.mark.e2e
async def test_a_cancel_leaves_no_process_and_no_descriptor(
    either: Tool, call: Call, resources: Callable[[], Any]
) -> None:
    before = resources()
    with trio.fail_after(20):
        for number in range(12):
            with trio.move_on_after(number * 0.004):
                await call(either, command=f"sleep {LONG} & sleep {LONG}")
    assert resources() == before
    assert not _sleepers()


@pytest.mark.e2e
async def test_what_a_finished_command_left_running_ends_with_it(
    isolated: Tool, call: Call, resources: Callable[[], Any]
) -> None:
    before = resources()
    with trio.fail_after(5):
        line = f"setsid sleep {LONG} >/dev/null 2>&1 & sleep {LONG} & echo done"
        assert await call(isolated, command=line) == "done\n"
    assert resources() == before
    assert not _sleepers()


def _sleepers() -> list[str]:
    """Processes of these tests anywhere on the machine, also those that left their parents."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if line[:2] == [b"sleep", LONG.encode()]:
                found.append(entry.name)
    return found


HOST = """
import sys, trio
from pathlib import Path
from vega_trio.tools.isolation import Isolation

async def main():
    isolation = Isolation(workspace=Path(sys.argv[1]), mode=sys.argv[2])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: isolation.run(["sh", "-c", "touch up; exec sleep 61"], timeout_s=60))
        while not Path(sys.argv[1], "up").exists():
            await trio.sleep(0.01)
        print("up", flush=True)

trio.run(main)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("mode", ["bwrap", "none"])
def test_kill_9_of_the_host_takes_the_command_along(workspace: Path, mode: str) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, str(workspace), mode], stdout=subprocess.PIPE)
    assert host.stdout is not None
    with host:
        assert host.stdout.readline() == b"up\n"
        late = time.monotonic() + 5
        while not (pids := _running("sleep", "61")) and time.monotonic() < late:
            time.sleep(0.01)  # the shell has said "up" and is about to become it
        pidfds = [os.pidfd_open(pid) for pid in pids]
        host.send_signal(signal.SIGKILL)

    async def ended() -> None:
        with trio.fail_after(3):
            for pidfd in pidfds:
                await trio.lowlevel.wait_readable(pidfd)
                os.close(pidfd)

    assert pidfds
    trio.run(ended)


def _running(*argv: str) -> list[int]:
    wanted = "\0".join([*argv, ""]).encode()
    return [int(each.parent.name) for each in Path("/proc").glob("[0-9]*/cmdline") if _read(each) == wanted]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.e2e
async def test_a_command_outlives_the_ten_seconds_after_which_idle_threads_end(isolated: Tool, call: Call) -> None:
    with trio.fail_after(30):
        await trio.to_thread.run_sync(lambda: None)
        assert await call(isolated, command="sleep 11; echo alive", timeout=15) == "alive\n"


# -- without bubblewrap


@pytest.mark.e2e
async def test_without_bubblewrap_commands_are_refused_with_the_remedy(
    workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workspace))
    with trio.fail_after(5):
        for mode in (None, "bwrap"):
            with pytest.raises(ToolError) as caught:
                await call(run_command_tool(Sandbox(workspace), mode), command="pwd")
            assert str(caught.value) == NO_BWRAP
        assert "apt install bubblewrap" in NO_BWRAP
        assert await call(run_command_tool(Sandbox(workspace), "none"), command="pwd") == f"{workspace}\n"
        fixed = await Isolation(workspace=workspace).run(["pwd"], timeout_s=5, unisolated=True)
        assert command_text(fixed, 5) == f"{workspace}\n"


@pytest.mark.e2e
async def test_a_bubblewrap_that_cannot_isolate_says_so(
    workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = workspace / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(workspace))
    with trio.fail_after(5), pytest.raises(ToolError, match="cannot be isolated on this machine: bwrap: No"):
        await call(run_command_tool(Sandbox(workspace)), command="pwd")


@pytest.mark.e2e
async def test_limits_hold_without_isolation_too(bare: Tool, call: Call) -> None:
    with trio.fail_after(30):
        assert await call(bare, command="ulimit -c; ulimit -n") == "0\n1024\n"
