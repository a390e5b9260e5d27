"""The options of a step that reach its agent: format, schema, tools, fresh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trio

import vega_trio as vega
from vega_trio.errors import RunFailed
from vega_trio.messages import ToolCall
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

HEAD = """
agents:
  A: {model: demo, system: You help., tools: [add, drop]}
workflows:
  w:
    inputs: {}
    steps:
"""


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def drop() -> str:
    """Drops the database."""
    raise AssertionError("a tool was called that the step does not allow")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


async def run(folder: Path, steps: str, model: ScriptedModel) -> object:
    path = folder / "t.vega.yaml"
    path.write_text(HEAD + steps)
    with model:
        async with vega.open_app(path, model=model, tools=[add, drop]) as app:
            return await (await app.run_workflow("w", {})).wait()


def said(request: ModelRequest) -> list[str]:
    return [message.text for message in request.messages]


async def test_a_badly_formed_reply_is_corrected_once_and_leaves_no_trace_in_the_conversation(tmp_path: Path) -> None:
    model = ScriptedModel(["no json", 'here: {"score": 9}', "fine"])
    steps = """
      - A: Rate it
        format: json
        save: rating
      - A: Thanks
    output: rating.score
"""
    assert await run(tmp_path, steps, model) == 9
    correction = said(model.requests[1])
    assert correction[:2] == ["Rate it", "no json"]
    assert correction[2].startswith("Your reply could not be used as JSON")
    assert said(model.requests[2]) == ["Rate it", "no json", "Thanks"]


async def test_a_reply_that_stays_wrong_fails_with_format_error(tmp_path: Path) -> None:
    model = ScriptedModel(["{}", "[]"])
    steps = """
      - A: Rate it
        schema: {type: object, required: [score]}
"""
    with pytest.raises(RunFailed, match="is not the JSON it should be") as failed:
        await run(tmp_path, steps, model)
    assert failed.value.error_class == "format_error"


async def test_a_fresh_ask_sees_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    model = ScriptedModel(["one", "two", "three"])
    steps = """
      - A: First
      - A: Second
        fresh: true
      - A: Third
"""
    await run(tmp_path, steps, model)
    assert [said(each) for each in model.requests] == [["First"], ["Second"], ["First", "one", "Third"]]


async def test_tools_narrows_what_one_ask_may_call_and_is_enforced(tmp_path: Path) -> None:
    drop_, add_ = ToolCall("1", "drop", {}), ToolCall("2", "add", {"a": 1, "b": 2})
    model = ScriptedModel([drop_, add_, "three", attrs.evolve(add_, id="3"), "4"])
    steps = """
      - A: Add
        tools: [add]
      - A: Again
"""
    assert await run(tmp_path, steps, model) == "4"
    offered = [[spec.name for spec in request.tools] for request in model.requests]
    assert offered == [["add"], ["add"], ["add"], ["add", "drop"], ["add", "drop"]]
    refused = model.requests[1].messages[-1].tool_results[0]
    assert refused.is_error
    assert "tool 'drop' is not available" in refused.content


async def test_no_tools_at_all_and_patterns(tmp_path: Path) -> None:
    model = ScriptedModel(["a", "b"])
    steps = """
      - A: None
        tools: []
      - A: Some
        tools: ["ad*"]
"""
    (tmp_path / "x").mkdir()
    with pytest.raises(vega.DocumentError, match="V020"):
        await run(tmp_path / "x", steps, ScriptedModel([]))
    await run(tmp_path, steps.replace('"ad*"', "add"), model)
    assert [[spec.name for spec in request.tools] for request in model.requests] == [[], ["add"]]
