"""The client against servers that nobody here wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import peers
import pytest
import trio

import vega_trio as vega
from vega_trio.mcp.source import McpSource
from vega_trio.session import Session
from vega_trio.testing import ScriptedModel

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("strangers")]


@asynccontextmanager
async def opened(name: str, command: list[str], **more: object) -> AsyncIterator[McpSource]:
    with trio.fail_after(40):
        async with vega.open_mcp(name=name, command=command, **more) as source:  # type: ignore[arg-type]
            yield source


async def test_everything_tools_resources_prompts_and_roots(tmp_path: Path) -> None:
    async with opened("everything", peers.everything(), roots=[tmp_path]) as source:
        assert source.problems == ()
        assert await source.call_tool("echo", {"message": "hi"}) == "Echo: hi"
        assert "The sum of 2 and 40 is 42" in await source.call_tool("get-sum", {"a": 2, "b": 40})
        assert json.loads(await source.call_tool("get-structured-content", {"location": "Chicago"}))["conditions"]
        assert "[an image, image/png, 4,0" in await source.call_tool("get-tiny-image")
        assert "Features" in await source.read_resource("demo://resource/static/document/features.md")
        assert "user: " in await source.get_prompt("args-prompt", {"city": "Rome"})
        assert str(tmp_path) in await source.call_tool("get-roots-list")
        seen = json.loads(await source.call_tool("get-env"))
        assert set(seen) <= {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ"}
        with pytest.raises(vega.ToolRetry):
            await source.call_tool("get-sum", {"a": "two", "b": 40})


async def test_everything_an_operation_that_takes_too_long_is_cancelled_and_the_server_lives() -> None:
    async with opened("everything", peers.everything(), timeout=0.5) as source:
        with pytest.raises(vega.McpTimeout):
            await source.call_tool("trigger-long-running-operation", {"duration": 30, "steps": 3})
        assert await source.call_tool("echo", {"message": "still here"}) == "Echo: still here"


async def test_everything_tells_how_far_it_is_and_whoever_watches_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "a.vega.yaml"
    program, *args = peers.everything()
    server = json.dumps({"command": program, "args": args})
    path.write_text(
        "agents: {asker: {system: You ask., tools: [everything__*]}}\n"
        f"settings: {{mcp: {{servers: {{everything: {server}}}}}}}\n"
    )
    name = "everything__trigger-long-running-operation"
    model = ScriptedModel([[vega.ToolCall("c1", name, {"duration": 0.2, "steps": 4})], "done"])
    with trio.fail_after(40):
        async with vega.open_app(path, model=model, env=os.environ, home=tmp_path) as app:
            async with app.chat(Session("asker"), "go") as events:
                told = [event async for event in events if isinstance(event, vega.ToolProgress)]
    assert {(each.tool_name, each.tool_call_id, each.total) for each in told} == {(name, "c1", 4.0)}
    assert told[-1].progress == 4.0


async def test_everything_gives_an_image_and_the_model_sees_it() -> None:
    model = ScriptedModel([[vega.ToolCall("c1", "everything__get-tiny-image", {})], "a picture"])
    async with opened("everything", peers.everything()) as source:
        agent = vega.Agent(name="a", system="x", tools=[source])
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as process:
            await process.send("look")
    (result,) = model.requests[1].messages[-1].tool_results
    assert "[an image, image/png, 4,0" in result.content
    assert [each.data[:4] for each in result.images] == [b"\x89PNG"]


async def test_everything_samples_the_model_of_the_agent_that_called(tmp_path: Path) -> None:
    path = tmp_path / "a.vega.yaml"
    program, *args = peers.everything()
    server = json.dumps({"command": program, "args": args})
    path.write_text(
        "agents: {asker: {system: You ask., tools: [everything__*]}}\n"
        f"settings: {{mcp: {{servers: {{everything: {server}}}}}}}\n"
    )
    call = vega.ToolCall("c1", "everything__trigger-sampling-request", {"prompt": "a riddle", "maxTokens": 50})
    model = ScriptedModel([[call], "forty-two", "done"])
    with trio.fail_after(40):
        async with vega.open_app(path, model=model, env=os.environ, home=tmp_path) as app:
            async with app.chat(Session("asker"), "go") as events:
                (end,) = [event async for event in events if isinstance(event, vega.ToolEnd)]
    assert "forty-two" in end.result
    assert "a riddle" in model.requests[1].messages[-1].text
    assert model.requests[1].tools == ()


async def test_everything_over_streamable_http_and_over_sse_comes_back_after_its_death() -> None:
    for transport, path in (("streamableHttp", "mcp"), ("sse", "sse")):
        async with serving(transport) as (port, restart):
            kind = "sse" if transport == "sse" else "http"
            with trio.fail_after(40):
                url = f"http://127.0.0.1:{port}/{path}"
                async with vega.open_mcp(name="e", url=url, transport=kind, timeout=20) as source:  # type: ignore[arg-type]
                    assert await source.call_tool("echo", {"message": "hi"}) == "Echo: hi"
                    await restart()
                    assert await source.call_tool("echo", {"message": "again"}) == "Echo: again"


@asynccontextmanager
async def serving(transport: str) -> AsyncIterator[tuple[int, object]]:
    """server-everything on a port of its own, and what kills it and starts it anew."""
    with trio.socket.socket() as probe:
        await probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running: list[subprocess.Popen[bytes]] = []

    def launch() -> None:
        env = {"PATH": os.environ["PATH"], "PORT": str(port)}
        running.append(subprocess.Popen([*peers.everything(), transport], env=env, stderr=subprocess.DEVNULL))

    async def start() -> None:
        launch()
        while True:
            try:
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
            except OSError:
                await trio.sleep(0.05)
            else:
                return

    async def restart() -> None:
        running[-1].kill()
        running[-1].wait()
        await start()

    try:
        with trio.fail_after(20):
            await start()
        yield port, restart
    finally:
        running[-1].kill()
        running[-1].wait()


async def test_filesystem_reads_within_its_directory_and_not_outside(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "note.txt").write_text("a note")
    (tmp_path / "secret.txt").write_text("secret")
    async with opened("fs", peers.filesystem(inside)) as source:
        assert source.problems == ()
        assert source.tools["fs__read_text_file"].spec.idempotent
        assert not source.tools["fs__edit_file"].spec.idempotent
        assert await source.call_tool("read_text_file", {"path": str(inside / "note.txt")}) == "a note"
        await source.call_tool("write_file", {"path": str(inside / "new.txt"), "content": "new"})
        assert (inside / "new.txt").read_text() == "new"
        with pytest.raises(vega.ToolError, match="outside allowed"):
            await source.call_tool("read_text_file", {"path": str(tmp_path / "secret.txt")})


async def test_memory_keeps_what_it_is_told_from_one_start_to_the_next(tmp_path: Path) -> None:
    env = {"MEMORY_FILE_PATH": str(tmp_path / "memory.json")}
    entity = {"name": "Ada", "entityType": "person", "observations": ["writes programs"]}
    async with opened("memory", peers.memory(), env=env) as source:
        await source.call_tool("create_entities", {"entities": [entity]})
    async with opened("memory", peers.memory(), env=env) as source:
        assert "writes programs" in await source.call_tool("read_graph")


async def test_time_of_python_tells_the_time() -> None:
    async with opened("time", peers.time()) as source:
        assert '"timezone": "Asia/Tokyo"' in await source.call_tool("get_current_time", {"timezone": "Asia/Tokyo"})
        with pytest.raises(vega.ToolError, match="Nowhere"):
            await source.call_tool("get_current_time", {"timezone": "Nowhere/Land"})


async def test_git_of_python_reads_a_repository(tmp_path: Path) -> None:
    await trio.run_process(["git", "init", "-q", str(tmp_path)])
    (tmp_path / "new.txt").write_text("x")
    async with opened("git", peers.git(tmp_path)) as source:
        assert "new.txt" in await source.call_tool("git_status", {"repo_path": str(tmp_path)})


def test_the_mcp_demo_runs_with_its_server(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "mcp-demo.vega.yaml"
    (tmp_path / example.name).write_text(example.read_text())
    (tmp_path / "library.py").write_text("# how to use vega from Python\n")
    (tmp_path / "node_modules").symlink_to(peers.folder() / "node_modules")  # what npx looks at before it fetches
    npx = tmp_path / "bin" / "npx"
    npx.parent.mkdir()
    node = peers.node()
    npx.write_text(f'#!/bin/sh\nPATH="{node.parent}:$PATH" exec {node} {peers.npm_script("npx")} "$@"\n')
    npx.chmod(0o755)
    env = {"PATH": f"{npx.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "NO_COLOR": "1"}
    env["PYTHONPATH"] = str(example.parents[1])
    command = [sys.executable, "-m", "vega_trio", "run", example.name, "--model", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "`filesystem__read_text_file` answered:" in done.stdout
    assert "# how to use vega from Python" in done.stdout


async def test_everything_asks_a_person_by_an_approval_and_gets_what_was_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "a.vega.yaml"
    program, *args = peers.everything()
    server = json.dumps({"command": program, "args": args, "timeout": "3s"})
    path.write_text(
        "agents: {asker: {system: You ask., tools: [everything__*]}}\n"
        f"settings: {{mcp: {{servers: {{everything: {server}}}}}}}\n"
    )
    calls = [[vega.ToolCall(f"c{n}", "everything__trigger-elicitation-request", {})] for n in range(2)]
    model = ScriptedModel([calls[0], calls[1], "done"])
    with trio.fail_after(40):
        async with vega.open_app(path, model=model, env=os.environ, home=tmp_path) as app:
            async with app.subscribe(types=["approval.requested"]) as asked, app.chat(Session("asker"), "go") as events:
                first = await anext(aiter(asked))
                assert first.reason.startswith("the MCP server 'everything' asks: ")
                assert "name" in first.arguments
                filled = {**first.arguments, "name": "Ada"}
                await app.desk.decide(first.approval_id, "approve", mine=lambda _: True, arguments=filled)
                second = await anext(aiter(asked))
                await app.desk.decide(second.approval_id, "deny", mine=lambda _: True)
                ends = [event async for event in events if isinstance(event, vega.ToolEnd)]
    assert "Ada" in ends[0].result
    assert "decline" in ends[1].result.lower()
