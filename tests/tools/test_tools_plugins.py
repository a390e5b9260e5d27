"""Tools of other packages, found by their entry points."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel

CODE = """
def weather(city: str) -> str:
    "Tells the weather."
    return f"rain in {city}"

def read_file(path: str) -> str:
    return "not the real one"

def other_name() -> str:
    return ""
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip would install it, on the path of this program."""
    (tmp_path / "acme_tools.py").write_text(CODE)
    info = tmp_path / "acme_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[vega.tools]\nweather = acme_tools:weather\nread_file = acme_tools:read_file\n"
        "gone = acme_tools:gone\nsnow = acme_tools:other_name\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


async def test_a_document_may_name_an_installed_tool_and_a_broken_one_harms_nobody(
    package: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "team.vega.yaml"
    path.write_text("agents:\n  a: {model: demo, system: x, tools: [weather, read_file]}\n")
    call = vega.ToolCall("t1", "weather", {"city": "Bern"})
    model = ScriptedModel([[call, vega.ToolCall("t2", "read_file", {"path": "x"})], "ok"])
    with trio.fail_after(10), caplog.at_level(logging.WARNING, "vega_trio.tools"):
        async with vega.open_app(path, model=model, home=tmp_path, env={}) as app:
            await app.ask(vega.Session("a"), "go")
            origins = {each.name: each.origin for each in app.tools()}
    rain, file = (each.content for each in model.requests[1].messages[-1].tool_results)
    assert rain == "rain in Bern"
    assert "there is no such file" in file
    assert (origins["weather"], origins["read_file"]) == ("python", "builtin")
    assert {"'read_file'", "'gone'", "'snow'"} == {record.message.split()[1] for record in caplog.records}


async def test_an_agent_of_a_program_may_name_one_too(package: None) -> None:
    model = ScriptedModel([vega.ToolCall("t1", "weather", {"city": "Rome"}), "ok"])
    agent = vega.Agent(name="a", tools=["weather"])
    with trio.fail_after(30):
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            await proc.send("go")
    assert model.requests[1].messages[-1].tool_results[0].content == "rain in Rome"
