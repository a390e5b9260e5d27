"""Tools in processes of their own: what goes over, what comes back, and that nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import isolated_tools
import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel
from vega_trio.tools.toolbox import as_tool, tool

Call = Callable[..., Awaitable[str]]
pytestmark = pytest.mark.e2e


def running(*argv: str) -> list[int]:
    wanted = "\0".join([*argv, ""]).encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if each.read_bytes() == wanted:
                found.append(int(each.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


async def test_arguments_and_results_go_over_as_they_are_here(call: Call) -> None:
    with trio.fail_after(30):
        told = json.loads(await call(as_tool(isolated_tools.weather), place={"name": "Zürich\x00'\""}, days=5.0))
    assert told.pop("pid") != os.getpid()
    assert told == {"place": "Zürich\x00'\"", "unit": "c", "days": 5}


async def test_an_async_function_runs_in_a_loop_of_its_own(call: Call) -> None:
    with trio.fail_after(30):
        assert await call(as_tool(isolated_tools.nap), seconds=0.0) == "rested"


async def test_wrong_arguments_start_no_process(call: Call) -> None:
    with trio.fail_after(30), pytest.raises(vega.ToolRetry, match="'days'"):
        await call(as_tool(isolated_tools.weather), place={"name": "x"}, days="many")


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("retry", vega.ToolRetry, "give another"),
        ("error", vega.ToolError, "cannot"),
        ("value", vega.ToolError, "ValueError: bad value"),
        ("kill", vega.ToolError, "tool crashed"),
        ("segv", vega.ToolError, "tool crashed"),
        ("exit", vega.ToolError, "tool crashed"),
        ("system", vega.ToolError, "tool crashed"),
    ],
)
async def test_failures_come_back_as_what_they_are(call: Call, how: str, kind: type[Exception], message: str) -> None:
    with trio.fail_after(30), pytest.raises(kind) as caught:
        await call(as_tool(isolated_tools.fail), how=how)
    assert (type(caught.value), str(caught.value)) == (kind, message)


async def test_a_long_result_is_cut_with_a_note(call: Call) -> None:
    with trio.fail_after(30):
        told = await call(as_tool(isolated_tools.fail), how="not at all")
    assert "[output truncated: cut after" in told


async def test_a_tool_that_dies_leaves_its_process_alive() -> None:
    model = ScriptedModel([vega.ToolCall("t1", "fail", {"how": "kill"}), "it crashed"])
    agent = vega.Agent(name="helper", tools=[isolated_tools.fail])
    with trio.fail_after(30):
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            assert (await proc.send("go")).text == "it crashed"
    assert model.requests[1].messages[-1].tool_results[0].content == "Error: tool crashed"


async def test_the_timeout_kills_it_with_all_that_it_started(tmp_path: Path) -> None:
    """Fault matrix: a tool that hangs, swallows its end and forks."""
    model = ScriptedModel([vega.ToolCall("t1", "stubborn", {"folder": str(tmp_path)}), "so it goes"])
    agent = vega.Agent(name="helper", tools=[vega.tool(isolation="process", timeout=3.0)(isolated_tools.stubborn)])
    with trio.fail_after(30):
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            await proc.send("go")
    assert model.requests[1].messages[-1].tool_results[0].content == "Error: stubborn did not finish within 3 s"
    assert (tmp_path / "up").exists()
    assert running("sleep", "62") == []


async def test_what_a_finished_call_left_behind_ends_with_it(call: Call) -> None:
    with trio.fail_after(30):
        assert await call(as_tool(isolated_tools.litter)) == "done"
    assert running("sleep", "63") == []


HOST = """
import sys, trio
sys.path.insert(0, sys.argv[2])
import isolated_tools
from vega_trio.tools.toolbox import as_tool
from vega_trio.tools.separate import call_apart, target_of

async def main():
    await call_apart(target_of(isolated_tools.stubborn), {"folder": sys.argv[1]})

trio.run(main)
"""


def test_kill_9_of_the_host_takes_the_call_and_all_it_started_along(tmp_path: Path) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, str(tmp_path), str(Path(__file__).parent)])
    try:
        late = time.monotonic() + 15
        while len(running("sleep", "62")) < 3:
            assert time.monotonic() < late
            time.sleep(0.02)
        host.send_signal(signal.SIGKILL)
    finally:
        host.kill()
        host.wait()
    late = time.monotonic() + 3
    while running("sleep", "62") and time.monotonic() < late:
        time.sleep(0.02)
    assert running("sleep", "62") == []


def test_only_what_a_module_calls_by_its_name_can_run_apart() -> None:
    def inner() -> None: ...

    for function in (inner, lambda: None):
        with pytest.raises(ValueError, match="must be a function of a module"):
            tool(isolation="process")(function)
    renamed: Any = isolated_tools.nap
    try:
        isolated_tools.nap = isolated_tools.litter  # type: ignore[assignment]
        with pytest.raises(ValueError, match="what its module calls 'nap'"):
            as_tool(renamed)
    finally:
        isolated_tools.nap = renamed


PROGRAM = """
import trio, vega_trio as vega
from vega_trio.testing import ScriptedModel

@vega.tool(isolation="process")
def double(number: int) -> int:
    return 2 * number

async def main():
    model = ScriptedModel([vega.ToolCall("t1", "double", {"number": 21}), "ok"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a", tools=[double])) as proc:
        await proc.send("go")
    print(model.requests[1].messages[-1].tool_results[0].content)

if __name__ == "__main__":
    trio.run(main)
"""


def test_a_function_of_the_programs_own_file_runs_apart_too(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "42\n"
