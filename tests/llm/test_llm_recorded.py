"""A run recorded once is replayed offline, and fails when it is no longer the same run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import FakeTool, RecordedModel, RecordingModel, ScriptedModel, block_network

LOOK = vega.ToolCall("t1", "look", {"at": "it"})


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5), block_network():
        yield


async def run(model: vega.Model | str, question: str = "What is it?", found: str = "a cat") -> vega.Reply:
    agent = vega.Agent(name="a", system="Be brief.", tools=[FakeTool("look", found)])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        reply: vega.Reply = await proc.send(question)
        return reply


@pytest.fixture
async def recording(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    with ScriptedModel([["Let me see. ", LOOK], "It is a cat."], price=1000) as model:
        await run(RecordingModel(model, path))
    return path


async def test_a_replay_says_calls_and_counts_the_same_and_costs_nothing(recording: Path) -> None:
    with RecordedModel(recording) as model:
        reply = await run(model)
    assert reply.text == "Let me see. It is a cat."
    assert reply.tool_calls == (LOOK,)
    assert reply.usage == vega.Usage(20, 10)
    assert reply.cost_usd == 0
    assert model.recorded_name == "scripted:test"


async def test_a_recording_is_a_model_by_name(recording: Path) -> None:
    assert (await run(f"recorded:{recording}")).text == "Let me see. It is a cat."


async def test_another_question_is_drift_that_says_what_differs(recording: Path) -> None:
    model = RecordedModel(recording)
    with pytest.raises(vega.TurnFailed, match=r"messages\[0\].* was 'What is it\?' and is 'Who is it\?'") as raised:
        await run(model, "Who is it?")
    assert raised.value.error_class is vega.ErrorClass.INVALID_REQUEST
    with pytest.raises(AssertionError, match="drifted"):
        model.check()


async def test_another_tool_result_is_drift_at_the_call_that_follows(recording: Path) -> None:
    with pytest.raises(vega.TurnFailed, match="was 'a cat' and is 'a dog'"):
        await run(RecordedModel(recording), found="a dog")


async def test_calls_that_are_not_made_are_drift_too(recording: Path) -> None:
    with pytest.raises(AssertionError, match="2 of 2 recorded calls were not made"), RecordedModel(recording):
        pass


async def test_the_same_asked_twice_is_answered_as_often_as_it_was(recording: Path) -> None:
    model = RecordedModel(recording)
    await run(model)
    with pytest.raises(vega.TurnFailed, match="more often than it was recorded"):
        await run(model)


async def test_processes_side_by_side_may_ask_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorder = RecordingModel(ScriptedModel(lambda request: f"re: {request.messages[-1].text}"), path)
    for question in ("one", "two"):
        await run(recorder, question)
    with RecordedModel(path) as model:
        assert (await run(model, "two")).text == "re: two"
        assert (await run(model, "one")).text == "re: one"


@pytest.mark.parametrize("content", [b"", b"{}", b"no JSON", b'{"recording": 99, "model": "x"}', b"[]"])
async def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(content)
    with pytest.raises(vega.ConfigError, match=r"odd\.jsonl' is no recording"):
        RecordedModel(path)
    with pytest.raises(vega.ConfigError, match=r"nothing\.jsonl"):
        RecordedModel(tmp_path / "nothing.jsonl")
