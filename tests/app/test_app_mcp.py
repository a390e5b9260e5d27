"""MCP servers of an application: named in a document, chosen by pattern, kept on record."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.app.mcp_config import Wanted, new_config
from vega_trio.errors import StoreError, StoreReadOnly
from vega_trio.messages import ToolCall
from vega_trio.session import Session
from vega_trio.testing import MemoryStore, ScriptedModel

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).parent.parent / "mcp" / "hostile.py"
DOCUMENT = """
agents:
  reader: {{system: You read., tools: [files__*]}}
  one: {{system: You read., tools: [files__echo, mcp_read_resource]}}
  all: {{system: You do., tools: all}}
  none: {{system: You talk.}}
settings:
  mcp:
    servers:
      files:
        command: {python}
        args: [-I, -S, "{script}", {mode}]
        timeout: 5s
"""


def written(home: Path, mode: str = "plain") -> Path:
    path = home / "team.vega.yaml"
    path.write_text(DOCUMENT.format(python=sys.executable, script=HOSTILE, mode=mode))
    return path


def app_of(
    home: Path, steps: Any = (), mode: str = "plain", store: Path | MemoryStore | None = None
) -> AbstractAsyncContextManager[vega.App]:
    return vega.open_app(written(home, mode), model=ScriptedModel(steps), store=store, env={}, home=home)


def calling(name: str, **arguments: Any) -> list[Any]:
    return [ToolCall("c1", name, arguments)]


async def tools_offered(home: Path, agent: str) -> list[str]:
    model = ScriptedModel(["hello"])
    async with vega.open_app(written(home), model=model, env={}, home=home) as app:
        await app.ask(Session(agent), "hi")
    return [each.name for each in model.requests[0].tools]


async def test_an_agent_has_the_tools_that_its_patterns_choose_and_no_other(tmp_path: Path) -> None:
    with trio.fail_after(30):
        assert await tools_offered(tmp_path, "reader") == ["files__echo", "files__read"]
        assert await tools_offered(tmp_path, "one") == ["mcp_read_resource", "files__echo"]
        assert {"files__echo", "files__read", "read_file"} <= set(await tools_offered(tmp_path, "all"))
        assert await tools_offered(tmp_path, "none") == []


async def test_a_call_goes_to_the_server_and_its_result_to_the_model(tmp_path: Path) -> None:
    with trio.fail_after(30):
        steps = [calling("files__echo", text="hello"), "done"]
        async with app_of(tmp_path, steps) as app:
            async with app.chat(Session("reader"), "go") as events:
                ends = [event async for event in events if isinstance(event, vega.ToolEnd)]
    assert [(end.tool_name, end.result, end.error) for end in ends] == [("files__echo", "hello", False)]


async def test_a_tool_that_was_not_chosen_is_refused(tmp_path: Path) -> None:
    with trio.fail_after(30):
        steps = [calling("files__read", text="x"), "done"]
        async with app_of(tmp_path, steps) as app:
            async with app.chat(Session("one"), "go") as events:
                ends = [event async for event in events if isinstance(event, vega.ToolEnd)]
    assert "not available to this agent" in ends[0].result


async def test_a_resource_is_read_by_the_built_in_tool(tmp_path: Path) -> None:
    with trio.fail_after(30):
        steps = [calling("mcp_read_resource", server="files", uri="note://7"), "done"]
        async with app_of(tmp_path, steps) as app:
            async with app.chat(Session("one"), "go") as events:
                ends = [event async for event in events if isinstance(event, vega.ToolEnd)]
    assert ends[0].result == "this is note://7"


async def test_connecting_and_losing_a_server_are_events_and_the_supervisor_shows_it(tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with app_of(tmp_path, mode="pid") as app:
            async with app.subscribe(types=["mcp.*"]) as events:
                first = await anext(aiter(events))
                assert isinstance(first, vega.McpConnected)
                assert (first.server, first.tools) == ("files", ("echo", "read"))
                names = [child.id for child in app.supervisors().children]
                assert "mcp" in names
                await app.mcp.refresh("files")
                assert [type(await anext(aiter(events))) for _ in range(2)] == [vega.McpDisconnected, vega.McpConnected]


async def test_a_changed_definition_is_an_event(tmp_path: Path) -> None:
    with trio.fail_after(30):
        steps = [calling("files__echo", text="x"), "done"]
        async with app_of(tmp_path, steps, mode="rugpull") as app:
            async with app.subscribe(types=[vega.McpToolsChanged]) as events:
                await app.ask(Session("reader"), "go")
                changed = await anext(aiter(events))
    assert (changed.server, changed.changed, changed.added, changed.removed) == ("files", ("echo",), (), ())


async def test_servers_that_do_not_want_to_leave_are_stopped_side_by_side_within_five_seconds(tmp_path: Path) -> None:
    args = ("-I", "-S", str(HOSTILE), "stubborn")
    with trio.fail_after(40):
        async with app_of(tmp_path, mode="stubborn") as app:
            for number in range(5):
                wanted = Wanted(command=sys.executable, args=args)
                assert (await app.mcp.connect(new_config(f"extra{number}", wanted, {}))).connected
            start = trio.current_time()
        assert trio.current_time() - start < 5


async def test_without_servers_there_is_no_supervisor_of_them(tmp_path: Path) -> None:
    async with vega.open_app(None, model=ScriptedModel([]), env={}, home=tmp_path) as app:
        assert app.mcp.servers() == []
        assert [child.id for child in app.supervisors().children] == []


async def test_pins_outlast_the_program_so_that_a_change_between_two_runs_is_seen(tmp_path: Path) -> None:
    store = tmp_path / "team.db"
    with trio.fail_after(30):
        async with app_of(tmp_path, store=store) as app:
            await app.mcp.refresh("files")
        async with app_of(tmp_path, mode="hidden", store=store) as app:
            info = await app.mcp.refresh("files")
            assert (info.tools, info.changed) == (("read",), ("echo",))
            assert await app.mcp.approve("files") == ("echo",)
            assert app.mcp.server("files").tools == ("echo", "read")
        async with app_of(tmp_path, mode="hidden", store=store) as app:
            assert (await app.mcp.refresh("files")).changed == ()


async def test_a_server_added_by_the_api_is_there_after_a_restart_and_gone_after_its_deletion(tmp_path: Path) -> None:
    store = tmp_path / "team.db"
    wanted = Wanted(command=sys.executable, args=("-I", "-S", str(HOSTILE), "plain"), env={"TOKEN": "secret"})
    with trio.fail_after(30):
        async with app_of(tmp_path, store=store) as app:
            added = await app.mcp.connect(new_config("extra", wanted, {}))
            assert (added.connected, added.tools) == (True, ("echo", "read"))
            with pytest.raises(vega.McpServerExists):
                await app.mcp.connect(new_config("extra", wanted, {}))
            with pytest.raises(vega.McpServerExists, match="in the document"):
                await app.mcp.delete("files")
        async with app_of(tmp_path, store=store) as app:
            assert [info.name for info in app.mcp.servers()] == ["files", "extra"]
            assert app.mcp.server("extra").config.env == {"TOKEN": "secret"}
            off = await app.mcp.disable("extra", True)
            assert (off.connected, off.disabled) == (False, "it was switched off")
            await app.mcp.delete("extra")
        async with app_of(tmp_path, store=store) as app:
            assert [info.name for info in app.mcp.servers()] == ["files"]
            with pytest.raises(vega.UnknownMcpServer, match="there are: files"):
                app.mcp.server("extra")


class FullStore(MemoryStore):
    full = False

    @property
    def problem(self) -> StoreError | None:
        return StoreReadOnly("the disk is full") if self.full else None


async def test_what_cannot_be_written_down_is_not_done_to_a_server(tmp_path: Path) -> None:
    store, wanted = FullStore(), Wanted(command=sys.executable, args=("-I", "-S", str(HOSTILE), "plain"))
    with trio.fail_after(30):
        async with app_of(tmp_path, store=store) as app:
            before = await app.mcp.connect(new_config("extra", wanted, {}))
            store.full = True
            mcp, other = app.mcp, new_config("extra", wanted, {"timeout": "9s"})
            for act in (
                lambda: mcp.disable("extra", True),
                lambda: mcp.configure(other),
                lambda: mcp.approve("extra"),
                lambda: mcp.delete("extra"),
            ):
                with pytest.raises(StoreReadOnly, match="the disk is full"):
                    await act()
                assert mcp.server("extra") == before


async def test_a_server_that_is_switched_off_is_said_to_be_off_to_who_calls_it(tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with app_of(tmp_path) as app:
            await app.mcp.refresh("files")
            await app.mcp.disable("files", True)
            assert app.mcp.sources()[0].tools == {}
            with pytest.raises(vega.McpUnavailable, match="not running"):
                await app.mcp.read_resource("files", "note://1")


async def test_an_unknown_server_without_a_command_is_refused_with_the_registrys_names(tmp_path: Path) -> None:
    path = tmp_path / "a.vega.yaml"
    path.write_text("agents: {a: {system: x}}\nsettings: {default_model: demo, mcp: {servers: [filesytem]}}\n")
    with pytest.raises(vega.DocumentError, match="did you mean 'filesystem'"):
        async with vega.open_app(path, env={}, home=tmp_path):
            raise AssertionError("it is not there")


async def test_an_agent_knows_a_resource_from_the_start_and_one_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path)
    knowing = "none: {system: You talk., knowledge: ['files://handbook', 'files://note://7']}"
    path.write_text(path.read_text().replace("none: {system: You talk.}", knowing))
    model = ScriptedModel(["hello"])
    with trio.fail_after(20):
        async with vega.open_app(path, model=model, env={}, home=tmp_path) as app:
            await app.ask(Session("none"), "hi")
        assert "this is files://handbook" in model.requests[0].system
        assert "this is note://7" in model.requests[0].system
        path.write_text(path.read_text().replace("plain", "dead"))
        with pytest.raises(vega.ConfigError, match="the resource 'files://"):
            async with vega.open_app(path, model=model, env={}, home=tmp_path):
                raise AssertionError("it is not there")


async def test_a_registered_server_whose_variable_is_not_set_is_disabled_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.vega.yaml"
    path.write_text("agents: {a: {system: x}}\nsettings: {default_model: demo, mcp: {servers: [github]}}\n")
    async with vega.open_app(path, env={}, home=tmp_path) as app:
        assert app.mcp.server("github").disabled == "GITHUB_PERSONAL_ACCESS_TOKEN is not set"
