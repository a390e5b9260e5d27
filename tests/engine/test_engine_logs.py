"""What is logged of a turn, and that no secret of the environment is in it, nor in anything else that is said."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import FakeTool, ScriptedModel

SECRET = "canary-47110815"
BUSY = vega.ModelError("busy", vega.ErrorClass.OVERLOADED)
AT_ONCE = vega.RetryPolicy(2, vega.BackoffConfig(initial=0.0))


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


async def turn(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    steps = [BUSY, vega.ToolCall("t", "look", {}), "done"]
    agent = vega.Agent(name="coder", tools=[FakeTool("look")], retry=AT_ONCE)
    with caplog.at_level(logging.INFO, logger="vega_trio"), ScriptedModel(steps, price=1000) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            await proc.send("go")
    return [record for record in caplog.records if hasattr(record, "vega")]


async def test_what_happens_is_logged_with_whose_it_is(caplog: pytest.LogCaptureFixture) -> None:
    records = await turn(caplog)
    events = {record.vega["event"]: record for record in records}  # type: ignore[attr-defined]
    assert {"process.started", "turn.started", "llm.retry", "tool.finished", "turn.finished"} <= set(events)
    finished = events["turn.finished"]
    assert finished.name == "vega_trio.turn"
    assert finished.vega["agent"] == "coder"  # type: ignore[attr-defined]
    assert finished.vega["turn"]  # type: ignore[attr-defined]
    assert finished.vega["incarnation"] == 1  # type: ignore[attr-defined]


async def test_a_model_call_is_logged_with_latency_tokens_cost_class_and_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = [record.vega for record in await turn(caplog) if record.name == "vega_trio.model"]  # type: ignore[attr-defined]
    failed, first, _ = calls
    assert (failed["error_class"], failed["attempt"], failed["cost_usd"]) == ("overloaded", 1, 0)
    assert (first["attempt"], first["input_tokens"], first["output_tokens"]) == (2, 10, 5)
    assert first["cost_usd"] == pytest.approx(0.015)
    assert first["latency_ms"] >= 0
    assert first["model"] == "scripted:test"


async def test_no_secret_of_the_environment_is_said_written_or_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOME_API_KEY", SECRET)
    leaky = FakeTool("env", f"SOME_API_KEY={SECRET}")
    angry = FakeTool("fail", vega.ToolError(f"refused {SECRET}"))
    echo = vega.ModelError(f"the key {SECRET} is wrong", vega.ErrorClass.OVERLOADED)
    wrong = vega.ModelError(f"the key {SECRET} is wrong", vega.ErrorClass.AUTHENTICATION)
    bug = RuntimeError(f"GET /?key={SECRET}")
    steps = [[vega.ToolCall("1", "env", {}), vega.ToolCall("2", "fail", {})], echo, "done", wrong, "ok", bug]
    agent = vega.Agent(name="a", tools=[leaky, angry], retry=AT_ONCE)
    seen: list[vega.Event] = []

    async def listen(orch: vega.Orchestrator, task_status: trio.TaskStatus[None]) -> None:
        async with orch.subscribe() as events:
            task_status.started()
            while not any(isinstance(event, vega.ProcessFailed) for event in seen):
                seen.append(await anext(events))

    with caplog.at_level(logging.DEBUG, logger="vega_trio"), ScriptedModel(steps) as model:
        async with (
            vega.open_orchestrator(model=model, store=tmp_path / "v.db") as orch,
            trio.open_nursery() as nursery,
        ):
            proc = await orch.spawn(agent)
            await nursery.start(listen, orch)
            await proc.send("go")
            with pytest.raises(vega.TurnFailed) as raised:
                await proc.send("again")
            await proc.send("and")
            with pytest.raises(vega.ProcessCrashed) as crashed:
                await proc.send("crash")
    assert "crashed: RuntimeError: GET /?key=***" in str(crashed.value)
    assert "GET /?key=***" in repr(seen)
    assert SECRET not in str(raised.value)
    assert SECRET not in str(raised.value.__cause__)
    assert SECRET not in repr(seen)
    assert SECRET not in repr([request.messages for request in model.requests])
    assert SECRET not in caplog.text
    assert not any(SECRET in repr(record.__dict__) for record in caplog.records)
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()
    assert any("SOME_API_KEY=***" in str(message.tool_results) for message in model.requests[-2].messages)
