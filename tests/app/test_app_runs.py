"""Workflow runs: processes that drive the interpreter and ask agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.errors import ModelError
from vega_trio.protocols import ModelRequest
from vega_trio.session import ErrorClass
from vega_trio.testing import MemoryStore, ScriptedModel

AGENTS = """
agents:
  Coder: {model: demo, system: You write.}
  Reviewer: {model: demo, system: You review.}
workflows:
  review:
    inputs: {task: string}
"""
REVIEW = """
    steps:
      - Coder: "{{task}}"
        save: code
      - Reviewer: {send: "Review {{code}}", save: verdict}
    output: "{{code}} -> {{verdict | upper}}"
"""


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


def write(folder: Path, steps: str) -> Path:
    path = folder / "team.vega.yaml"
    path.write_text(AGENTS + steps)
    return path


async def test_a_run_asks_its_agents_in_turn_and_gives_the_output(tmp_path: Path) -> None:
    model = ScriptedModel(["def f(): ...", "looks good"])
    async with vega.open_app(write(tmp_path, REVIEW), model=model) as app:
        run = await app.run_workflow("review", {"task": "write f"})
        assert await run.wait() == "def f(): ... -> LOOKS GOOD"
        assert run.status == "completed"
    assert [request.messages[-1].text for request in model.requests] == ["write f", "Review def f(): ..."]


async def test_text_binds_to_the_primary_input(tmp_path: Path) -> None:
    model = ScriptedModel(["a", "b"])
    async with vega.open_app(write(tmp_path, REVIEW), model=model) as app:
        await (await app.run_workflow("review", {}, primary_text="from stdin")).wait()
    assert model.requests[0].messages[-1].text == "from stdin"


async def test_wrong_inputs_are_refused_before_anything_starts(tmp_path: Path) -> None:
    async with vega.open_app(write(tmp_path, REVIEW), model=ScriptedModel([])) as app:
        with pytest.raises(vega.InputError) as missing:
            await app.run_workflow("review", {})
        assert missing.value.code == "V040"
        assert str(missing.value) == "the input 'task' is missing"
        with pytest.raises(vega.UnknownWorkflow, match="did you mean 'review'"):
            await app.run_workflow("reveiw", {})
        assert app.orch.processes() == []


async def test_the_steps_of_a_run_are_events_and_its_end_is_stored(tmp_path: Path) -> None:
    store = MemoryStore()
    async with vega.open_app(write(tmp_path, REVIEW), model=ScriptedModel(["a", "b"]), store=store) as app:
        async with app.subscribe(types=["workflow.*"]) as events:
            run = await app.run_workflow("review", {"task": "x"})
            heard = []
            async for event in events:
                heard.append(event)
                if event.type == "workflow.completed":
                    break
        paths = [event.path for event in heard if isinstance(event, vega.StepStarted)]
        assert paths == ["review/0", "review/1"]
        assert heard[0].type == "workflow.started"
        row = await store.records.get("wf_run", run.id)
        assert row is not None
        assert (row["status"], row["result"]) == ("completed", "a -> B")


async def test_a_failed_ask_fails_the_run_naming_step_agent_and_place(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    model = ScriptedModel([vega.ModelError("the model is down", vega.ErrorClass.OVERLOADED)] * 5)
    path = write(tmp_path, REVIEW)
    async with vega.open_app(path, model=model) as app:
        run = await app.run_workflow("review", {"task": "x"})
        with pytest.raises(vega.RunFailed) as caught:
            await run.wait()
        assert caught.value.error_class == "overloaded"
        assert str(caught.value) == f"step review/0 (Coder): the model is down ({path}:10:9)"


async def test_an_ended_run_stays_among_the_processes_and_their_totals(tmp_path: Path) -> None:
    fine, broken = '    steps: [{set: {x: "1"}}]\n', '    steps: [{set: {x: "{{1 / 0}}"}}]\n'
    path, store = write(tmp_path, f"{fine}  broken:\n{broken}"), tmp_path / "vega.db"
    async with vega.open_app(path, model=ScriptedModel([]), store=store) as app:
        runs = [await app.run_workflow("review", {"task": "x"}), await app.run_workflow("broken", {})]
        for run in runs:
            await run.ended.wait()
    async with vega.open_app(path, model=ScriptedModel([]), store=store) as app:
        stats = await app.overview.stats()
        assert (stats.total_processes, stats.completed_processes, stats.failed_processes) == (2, 1, 1)
        assert {each.id for each in await app.overview.processes()} == {run.process_id for run in runs}


async def test_a_step_past_its_timeout_stops_its_turn(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async def never(request: ModelRequest) -> str:
        await trio.sleep_forever()
        return ""

    steps = '    steps:\n      - Coder: {send: "{{task}}", timeout: 2s}\n'
    async with vega.open_app(write(tmp_path, steps), model=ScriptedModel([never])) as app:
        run = await app.run_workflow("review", {"task": "x"})
        with pytest.raises(vega.RunFailed, match="longer than its timeout of 2 s") as caught:
            await run.wait()
        assert caught.value.error_class == "timeout"


async def test_a_step_is_asked_again_after_pauses_each_time_within_its_timeout(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    asked: list[float] = []

    async def slow_then_quick(request: ModelRequest) -> str:
        asked.append(trio.current_time())
        if len(asked) < 3:
            await trio.sleep_forever()
        return "at last"

    steps = '    steps:\n      - Coder: {send: "{{task}}", timeout: 2s, retry: 2}\n'
    with trio.fail_after(60):
        async with vega.open_app(write(tmp_path, steps), model=ScriptedModel(slow_then_quick)) as app:
            assert await (await app.run_workflow("review", {"task": "x"})).wait() == "at last"
    pauses = [after - before for before, after in pairwise(asked)]
    assert pauses == [pytest.approx(3, abs=0.3), pytest.approx(4, abs=0.4)]  # 2 s of timeout, then 1 s, then 2 s


async def test_what_will_fail_again_is_not_asked_again(tmp_path: Path) -> None:
    model = ScriptedModel([ModelError("no such model", ErrorClass.INVALID_REQUEST)])
    steps = '    steps:\n      - Coder: {send: "{{task}}", retry: 5}\n'
    async with vega.open_app(write(tmp_path, steps), model=model) as app:
        with pytest.raises(vega.RunFailed, match="no such model"):
            await (await app.run_workflow("review", {"task": "x"})).wait()
    assert len(model.requests) == 1


async def test_a_run_past_its_timeout_fails_and_leaves_no_process(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async def never(request: ModelRequest) -> str:
        await trio.sleep_forever()
        return ""

    async with vega.open_app(write(tmp_path, REVIEW), model=ScriptedModel([never])) as app:
        run = await app.run_workflow("review", {"task": "x"}, timeout=3)
        with pytest.raises(vega.RunFailed, match="did not finish within its timeout of 3 s"):
            await run.wait()
        for process in app.orch.processes():
            await process.wait()


async def test_cancelling_a_run_ends_the_agents_it_asks(tmp_path: Path) -> None:
    begun = trio.Event()

    async def never(request: ModelRequest) -> str:
        begun.set()
        await trio.sleep_forever()
        return ""

    async with vega.open_app(write(tmp_path, REVIEW), model=ScriptedModel([never])) as app:
        run = await app.run_workflow("review", {"task": "x"})
        await begun.wait()
        await run.cancel()
        with pytest.raises(vega.RunCancelled):
            await run.wait()
        assert app.orch.processes() == []


async def test_a_run_has_one_conversation_per_agent(tmp_path: Path) -> None:
    steps = '    steps:\n      - Coder: "{{task}}"\n      - Coder: "again"\n'
    model = ScriptedModel(["one", "two"])
    async with vega.open_app(write(tmp_path, steps), model=model) as app:
        await (await app.run_workflow("review", {"task": "x"})).wait()
    assert [message.text for message in model.requests[1].messages] == ["x", "one", "again"]


async def test_parallel_branches_run_side_by_side_on_copies_of_the_conversation(tmp_path: Path) -> None:
    steps = """
    steps:
      - Coder: "{{task}}"
      - parallel:
          - Coder: {send: "left", save: l}
          - Coder: {send: "right", save: r}
      - Coder: "after"
    output: "{{l}} {{r}}"
"""
    both = trio.Event()
    waiting: list[str] = []

    async def answer(request: ModelRequest) -> str:
        text = request.messages[-1].text
        if text in ("left", "right"):
            waiting.append(text)
            if len(waiting) == 2:
                both.set()
            await both.wait()
        return text.upper()

    model = ScriptedModel(answer)
    async with vega.open_app(write(tmp_path, steps), model=model) as app:
        assert await (await app.run_workflow("review", {"task": "x"})).wait() == "LEFT RIGHT"
    seen = {request.messages[-1].text: [m.text for m in request.messages] for request in model.requests}
    assert seen["left"] == ["x", "X", "left"]
    assert seen["after"] == ["x", "X", "after"]


async def test_a_failing_branch_cancels_its_siblings(tmp_path: Path) -> None:
    steps = """
    steps:
      - parallel:
          - Coder: "hang"
          - Reviewer: "fail"
"""
    hanging = trio.Event()

    async def answer(request: ModelRequest) -> str:
        if request.messages[-1].text == "hang":
            hanging.set()
            await trio.sleep_forever()
        await hanging.wait()
        raise vega.ModelError("broken", vega.ErrorClass.INVALID_REQUEST)

    async with vega.open_app(write(tmp_path, steps), model=ScriptedModel(answer)) as app:
        run = await app.run_workflow("review", {"task": "x"})
        with pytest.raises(vega.RunFailed, match="broken"):
            await run.wait()


async def test_an_agent_that_crashes_for_good_fails_the_step_as_agent_crashed(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    steps = REVIEW + "settings: {supervision: {strategy: stop}}\n"
    async with vega.open_app(write(tmp_path, steps), model=ScriptedModel([RuntimeError("bug")])) as app:
        run = await app.run_workflow("review", {"task": "x"})
        with pytest.raises(vega.RunFailed, match="bug") as caught:
            await run.wait()
        assert caught.value.error_class == "agent_crashed"


async def test_a_run_is_recorded_before_it_is_answered_for_and_forgotten_when_it_has_ended(tmp_path: Path) -> None:
    store = MemoryStore()
    async with vega.open_app(write(tmp_path, REVIEW), model=ScriptedModel(["a", "b"]), store=store) as app:
        run = await app.run_workflow("review", {"task": "x"})
        row = await store.records.get("wf_run", run.id)
        assert row is not None
        assert row["status"] == "running"
        assert list(app.runs.by_id) == [run.id]
        await run.wait()
        assert app.runs.by_id == {}
