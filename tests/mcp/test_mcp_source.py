"""Servers that misbehave, each a real program, against the client that runs in applications too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.mcp.source import PATIENCE, McpSource
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).with_name("hostile.py")


def command(mode: str, state: Path | None = None) -> list[str]:
    return [sys.executable, "-I", "-S", str(HOSTILE), mode, *([str(state)] if state else [])]


@asynccontextmanager
async def opened(
    mode: str, state: Path | None = None, *, timeout: float = 10.0, env: dict[str, str] | None = None
) -> AsyncIterator[McpSource]:
    with trio.fail_after(25):
        async with vega.open_mcp(name="s", command=command(mode, state), timeout=timeout, env=env) as source:
            yield source


async def gone(pid: int) -> None:
    """Returns when the process has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(3):
            await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


async def test_a_tool_is_called_and_a_resource_read() -> None:
    async with opened("plain") as source:
        assert list(source.tools) == ["s__echo", "s__read"]
        assert await source.call_tool("echo", {"text": "hello"}) == "hello"
        assert await source.read_resource("note://1") == "this is note://1"
        spec = source.tools["s__read"].spec
        assert spec.idempotent
        assert spec.effects == {"network"}


async def test_arguments_are_checked_before_the_server_sees_them() -> None:
    async with opened("plain") as source:
        with pytest.raises(vega.ToolRetry, match="text"):
            await source.call_tool("echo", {"text": 7})
        with pytest.raises(vega.McpError, match="did you mean 'echo'"):
            await source.call_tool("ecko", {})


async def test_banners_on_stdout_are_no_reason_to_fail() -> None:
    async with opened("noisy") as source:
        assert await source.call_tool("echo", {"text": "x"}) == "x"


async def test_a_server_that_dies_at_once_says_why() -> None:
    with pytest.raises(vega.McpUnavailable, match="no licence for that"):
        async with opened("dead"):
            raise AssertionError("it is not there")


async def test_a_command_that_does_not_exist_says_so() -> None:
    with trio.fail_after(30), pytest.raises(vega.McpUnavailable, match="there is no command 'vega-no-such-server'"):
        async with vega.open_mcp(name="s", command=["vega-no-such-server"]):
            raise AssertionError("it is not there")


async def test_a_server_that_speaks_garbage_is_not_connected() -> None:
    with pytest.raises(vega.McpUnavailable, match="speaks no JSON-RPC"):
        async with opened("garbage"):
            raise AssertionError("it is not there")


async def test_a_call_in_flight_when_the_server_dies_fails_typed_is_not_repeated_and_the_next_one_works(
    tmp_path: Path,
) -> None:
    async with opened("crash", tmp_path / "starts") as source:
        with pytest.raises(vega.McpLost):
            await source.call_tool("echo", {"text": "once"})
        assert await source.call_tool("echo", {"text": "again"}) == "again"
        assert len((tmp_path / "starts").read_text()) == 2
        assert source.restarts == 1


async def test_an_idempotent_call_in_flight_is_repeated(tmp_path: Path) -> None:
    async with opened("crash", tmp_path / "starts") as source:
        assert await source.call_tool("read", {"text": "x"}) == "x"
        assert source.restarts == 1


async def test_a_server_killed_from_outside_is_back_for_the_next_call() -> None:
    async with opened("pid") as source:
        first = int(await source.call_tool("echo"))
        os.kill(first, 9)
        while source.connected:
            await source._news.wait()
        assert int(await source.call_tool("echo")) != first
        await gone(first)


async def test_a_call_to_a_mute_server_ends_in_time_and_the_connection_lives() -> None:
    async with opened("mute_call", timeout=0.3) as source:
        with pytest.raises(vega.McpTimeout, match=r"within 0\.3 s"):
            await source.call_tool("echo")


@pytest.mark.parametrize(
    ("mode", "why"), [("garbage_call", "speaks no JSON-RPC"), ("giant", "more than"), ("flood", "in a second")]
)
async def test_garbage_giants_and_floods_cost_the_server_its_connection(mode: str, why: str, tmp_path: Path) -> None:
    async with opened(mode, tmp_path / "starts") as source:
        with pytest.raises(vega.McpLost, match=why):
            await source.call_tool("echo", {"text": "x"})
        assert await source.call_tool("echo", {"text": "y"}) == "y"


async def test_a_definition_that_changes_is_not_offered_until_it_is_approved() -> None:
    async with opened("rugpull") as source:
        assert "id_rsa" not in source.tools["s__echo"].spec.description
        await source.call_tool("echo", {"text": "x"})
        while "s__echo" in source.tools:
            await source._news.wait()
        assert [each.name for each in source.changed()] == ["echo"]
        assert "waits for approval" in source.problems[0]
        with pytest.raises(vega.McpError, match=r"'echo' of the MCP server 's' is disabled: .* has changed"):
            await source.call_tool("echo", {})
        assert list(source.tools) == ["s__read"]
        assert source.approve("echo") == ("echo",)
        assert "id_rsa" in source.tools["s__echo"].spec.description


async def test_a_definition_that_changes_with_a_restart_is_not_offered_either(tmp_path: Path) -> None:
    async with opened("rugpull", tmp_path / "starts") as source:
        source.pins["read"] = "what somebody approved"
        async with opened("rugpull", tmp_path / "starts") as second:
            assert "id_rsa" in second.definitions[0].description
        assert "s__echo" in source.tools


async def test_what_nobody_sees_in_a_definition_is_shown() -> None:
    async with opened("hidden") as source:
        spec = source.tools["s__echo"].spec
        assert spec.description == "Harmless.<U+200B><U+E0041><U+202E>"
        assert spec.parameters["properties"]["text"]["description"] == "a<U+2060>b"


async def test_no_tool_shadows_another() -> None:
    async with opened("shadow") as source:
        assert list(source.tools) == ["s__echo", "s__read", "s__read_file"]
        assert source.tools["s__echo"].spec.description == "Gives the text back."


async def test_hostile_schemas_are_left_out_or_checked_as_far_as_they_can_be() -> None:
    async with opened("schemas") as source:
        assert {"s__look", "s__far", "s__slow", "s__list"} <= set(source.tools)
        assert not {"s__deep", "s__large", "s__chatter"} & set(source.tools)
        with trio.fail_after(5):
            with pytest.raises(vega.ToolRetry):
                await source.call_tool("slow", {"text": "a" * 50_000 + "b"})


async def test_a_server_has_at_most_a_thousand_tools() -> None:
    async with opened("many") as source:
        assert len(source.tools) == 1000


async def test_a_server_sees_what_is_declared_and_nothing_secret() -> None:
    os.environ["VEGA_CANARY_API_KEY"] = "canary"
    try:
        async with opened("env", env={"DECLARED": "yes"}) as source:
            seen = json.loads(await source.call_tool("echo"))
    finally:
        del os.environ["VEGA_CANARY_API_KEY"]
    assert seen.pop("DECLARED") == "yes"
    assert set(seen) <= {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "LC_CTYPE"}


async def test_a_result_is_cut_at_what_a_model_may_be_given() -> None:
    async with opened("large") as source:
        text = await source.call_tool("echo")
        assert len(text.encode()) <= 64 * 1024
        assert "truncated" in text


async def test_a_server_takes_its_daemons_along_when_it_is_closed() -> None:
    async with opened("family") as source:
        pids = json.loads(await source.call_tool("echo"))
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        assert len(pids) == 4
    for pid in pids:
        await gone(pid)


async def test_a_server_that_does_not_want_to_leave_is_gone_within_five_seconds() -> None:
    async with opened("stubborn") as source:
        assert await source.call_tool("echo", {"text": "x"}) == "x"
        start = trio.current_time()
    assert trio.current_time() - start < 5


async def test_a_cancelled_call_tells_the_server_and_harms_nobody_else() -> None:
    async with opened("plain") as source:
        with trio.CancelScope() as scope:
            scope.cancel()
            await source.call_tool("echo", {"text": "x"})
        assert scope.cancelled_caught
        assert await source.call_tool("echo", {"text": "y"}) == "y"
        assert source.restarts == 0


async def test_a_server_that_keeps_failing_is_left_alone_for_long_and_started_for_a_call(tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    async with opened("fails", mark) as source:
        os.kill(int(await source.call_tool("echo")), 9)
        while source._failures < PATIENCE:
            await source._news.wait()
        mark.with_suffix(".well").touch()
        assert int(await source.call_tool("echo"))
        assert source._failures == 0
        assert len(mark.read_text()) == PATIENCE + 1


async def test_a_guardian_that_is_killed_takes_its_server_along_and_both_come_back() -> None:
    async with opened("pid") as source:
        first = int(await source.call_tool("echo"))
        status = Path(f"/proc/{first}/status").read_text()
        guardian = int(status.partition("PPid:")[2].split()[0])
        os.kill(guardian, 9)
        await gone(first)
        while source.connected:
            await source._news.wait()
        assert int(await source.call_tool("echo")) != first


async def test_a_server_that_was_left_is_told_at_once_and_nobody_waits_for_it() -> None:
    async with opened("noisy") as source:
        pass
    with trio.fail_after(2):
        with pytest.raises(vega.McpUnavailable, match="is not running"):
            await source.call_tool("echo")
        model = ScriptedModel(["hello"])
        agent = vega.Agent(name="a", system="x", tools=[source])
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as process:
            await process.send("hi")
    assert model.requests[0].tools == ()


async def test_a_command_and_an_address_are_not_one_server() -> None:
    with pytest.raises(vega.ConfigError, match="a command and a url"):
        async with vega.open_mcp(name="s", command=["x"], url="http://127.0.0.1:1/"):
            raise AssertionError("it is connected")
