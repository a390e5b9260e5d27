"""Tools cut off at random points: processes, threads and descriptors are what they were, and nothing is hidden."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

CANCELS = int(os.environ.get("VEGA_CANCELS", "200"))
ISOLATED_EVERY = 25  # one takes a tenth of a second to start

pytestmark = pytest.mark.e2e


def children() -> set[int]:
    return {int(each) for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def tool_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("vega tool ")]


@vega.tool(isolation="process")
def apart(seconds: float) -> str:
    """Sleeps in a process of its own."""
    import time

    time.sleep(seconds)
    return "done"


async def test_200_turns_stopped_at_random_points_leave_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("VEGA_SEED", "7"))
    rand, release = random.Random(seed), threading.Event()
    path = tmp_path / "team.vega.yaml"
    path.write_text(
        "agents:\n  a: {model: demo, system: x, tools: [run_command, write_file, append_file, list_files, http_get,"
        " wait, block, apart]}\nsettings: {approvals: {mixing: allow}}\n"
    )

    async def wait(seconds: float) -> str:
        """Sleeps."""
        await trio.sleep(seconds)
        return "done"

    def block(seconds: float) -> str:
        """Blocks a thread."""
        release.wait(seconds)
        return "done"

    def reply(request: ModelRequest) -> list[vega.ToolCall] | str:
        if request.messages[-1].tool_results:
            return "ok"
        number = len(model.requests)
        made = [
            ("run_command", {"command": "sleep 64 & (setsid sleep 64 &) ; sleep 64"}),
            ("write_file", {"path": f"f{number % 7}.txt", "content": "x" * 50_000}),
            ("append_file", {"path": "log.txt", "content": "x"}),
            ("list_files", {"recursive": True}),
            ("http_get", {"url": f"http://127.0.0.1:{port}/"}),
            ("wait", {"seconds": 0.05}),
            ("block", {"seconds": 30.0}),
        ]
        chosen = rand.sample(made, 3)
        if number % ISOLATED_EVERY == 0:
            chosen.append(("apart", {"seconds": 30.0}))
        return [vega.ToolCall(f"t{at}", name, arguments) for at, (name, arguments) in enumerate(chosen)]

    model = ScriptedModel(reply)
    before = (children(), descriptors())
    with trio.fail_after(240):
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listener.socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, _mute, [listener])
            allow = {"VEGA_HTTP_ALLOW": f"127.0.0.1:{port}"}
            async with vega.open_app(path, model=model, env=allow, home=tmp_path, tools=[wait, block, apart]) as app:
                for _ in range(CANCELS):
                    await _cut_off(app, rand.random() * (0.03 if rand.random() < 0.7 else 0.2))
                assert {each.tool for each in app.zombie_threads()} <= {"block"}
                assert len(app.zombie_threads()) == len([name for name in tool_threads() if "block" in name])
                release.set()
                await _until(lambda: not app.zombie_threads())
            nursery.cancel_scope.cancel()
    after = (children() - before[0], descriptors() - before[1])
    print(f"seed {seed}: {CANCELS} turns cut off, {len(model.requests)} model calls; left: {after}", file=sys.stderr)
    assert after == (set(), 0)
    assert _running("sleep", "64") == []


async def _cut_off(app: vega.App, after_s: float) -> None:
    session = vega.Session("a")
    async with app.chat(session, "go"):
        await trio.sleep(after_s)
        await app.stop_turn(session)


async def _mute(stream: trio.SocketStream) -> None:
    async with stream:
        await trio.sleep_forever()


async def _until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not condition():
            await trio.testing.wait_all_tasks_blocked(0.01)


def _running(*argv: str) -> list[int]:
    wanted = "\0".join([*argv, ""]).encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if each.read_bytes() == wanted:
                found.append(int(each.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
