"""What goes on after the program was killed. The database as it is at one moment is what a kill then would leave."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import trio
import trio.testing
from killed_database import killed

import vega_trio as vega
from vega_trio import changes as vega_changes
from vega_trio._core.history import UNKNOWN_OUTCOME, mended
from vega_trio.app.recovery import seldom_collected
from vega_trio.protocols import ModelRequest
from vega_trio.store.sqlite import open_sqlite
from vega_trio.testing import ScriptedModel

DOCUMENT = """
agents:
  helper:
    model: demo
    system: You help.
    tools: [look, act]
  other: {model: demo, system: You are the other one.}
workflows:
  review:
    inputs: {task: string}
    steps:
      - parallel:
          - helper: "{{task}} {{now}}"
            save: code
          - other: {send: "think", save: thought}
      - other: {send: "Review {{code}} {{thought}}", save: verdict}
    output: "{{code}} -> {{verdict}}"
"""
HELPER = vega.Session("helper")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(20):
        yield


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    return path


class Tools:
    """One that only reads and one that acts; both wait at their first call. `keys` are those of all calls."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.entered = trio.Event()
        self.go_on = False

    def all(self) -> list[object]:
        @vega.tool(effects=["read"])
        async def look(context: vega.ToolContext) -> str:
            """Looks."""
            return await self._call(context)

        async def act(context: vega.ToolContext) -> str:
            """Acts."""
            return await self._call(context)

        return [look, act]

    async def _call(self, context: vega.ToolContext) -> str:
        self.keys.append(context.idempotency_key)
        self.entered.set()
        if not self.go_on:
            await trio.sleep_forever()
        return "done"


def call(name: str) -> vega.ToolCall:
    return vega.ToolCall("t1", name, {})


async def quiet(app: vega.App) -> None:
    """Returns when no agent has a message."""
    processes = app.orch.processes()
    while mails := [mail for each in processes if (mail := each.current or each.mailbox.first) is not None]:
        await mails[0].finish()


async def test_a_turn_cut_in_a_model_call_goes_on_under_the_same_ids(document: Path, tmp_path: Path) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        async with app.chat(HELPER, "hello") as turn:
            await asked.wait()
            process, left = turn.process, killed(path)
            turn_id, session = turn.turn_id, turn.session
    model = ScriptedModel(["welcome back"])
    async with vega.open_app(document, model=model, store=left, tools=Tools().all()) as app:
        await quiet(app)
        again = app.orch.get(process.id)
        assert (again.incarnation, again.epoch, again.session) == (process.incarnation + 1, 2, session)
        assert [message.text for message in again.messages()] == ["hello", "welcome back"]
        (op,) = await app.store.ops(process.id)
        assert (op.state, op.attempts, op.key) == ("done", 2, f"{turn_id}/0")
        assert [each.content for each in await app.transcript(HELPER)] == ["hello", "welcome back"]
        assert again.restarts == 0


async def test_a_spawn_reason_in_a_program_s_own_words_makes_no_process_a_run_s(document: Path, tmp_path: Path) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        helper = vega.Agent(name="helper", system="You help.")
        process = await app.orch.spawn(helper, spawn_reason="run the tests", task="go")
        await asked.wait()
        left = killed(path)
    async with vega.open_app(document, model=ScriptedModel(["they pass"]), store=left, tools=Tools().all()) as app:
        again = app.orch.get(process.id)
        await again.wait()
        assert (again.status, str(again.result)) == ("completed", "they pass")


@pytest.mark.parametrize(("tool", "attempts", "told"), [("look", 2, "done"), ("act", 1, UNKNOWN_OUTCOME)])
async def test_a_tool_call_cut_short_is_repeated_only_if_it_may_be(
    document: Path, tmp_path: Path, tool: str, attempts: int, told: str
) -> None:
    path, first, second = tmp_path / "vega.db", Tools(), Tools()
    second.go_on = True
    model = ScriptedModel([["Let me see. ", call(tool)]], price=1)
    async with vega.open_app(document, model=model, store=path, tools=first.all()) as app:
        async with app.chat(HELPER, "hello") as turn:
            await first.entered.wait()
            left = killed(path)
    model = ScriptedModel(["all is well"], price=1)
    async with vega.open_app(document, model=model, store=left, tools=second.all()) as app:
        await quiet(app)
        process = app.orch.get(turn.process.id)
        ops = await app.store.ops(process.id)
        assert [op.kind for op in ops] == ["llm", "tool", "llm"]
        assert ops[1].attempts == attempts
        assert ops[1].state == ("done" if attempts == 2 else "unknown")
        assert first.keys == [ops[1].key]
        assert second.keys == [ops[1].key] * (attempts - 1)
        assert process.metrics.cost_microusd == sum(op.cost_microusd for op in ops) > 0
    assert len(model.requests) == 1  # the finished call was not made again
    assert model.requests[0].messages[-1].tool_results[0].content == told


async def test_mail_that_waited_is_answered_in_its_order(document: Path, tmp_path: Path) -> None:
    async def hang(_: ModelRequest) -> str:
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        async with app.chat(HELPER, "one") as turn:
            await turn.process.post("two")
            left = killed(path)
    async with vega.open_app(
        document, model=ScriptedModel(["first", "second"]), store=left, tools=Tools().all()
    ) as app:
        await quiet(app)
        said = [message.text for message in app.orch.get(turn.process.id).messages()]
    assert said == ["one", "first", "two", "second"]


async def test_a_stop_of_the_program_leaves_the_open_turn_for_the_next_start(document: Path, tmp_path: Path) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        async with app.chat(HELPER, "hello") as turn:
            await asked.wait()
    async with vega.open_app(document, model=ScriptedModel(["hi"]), store=path, tools=Tools().all()) as app:
        await quiet(app)
        assert app.orch.get(turn.process.id).messages()[-1].text == "hi"


async def test_the_third_recovery_within_a_minute_quarantines(document: Path, tmp_path: Path) -> None:
    async def hang(_: ModelRequest) -> str:
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        async with app.chat(HELPER, "poison") as turn:
            await anext(aiter(turn))
            path = killed(path)
    for _ in range(2):
        async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
            assert app.orch.get(turn.process.id).status == "running"
            path = killed(path)
    async with vega.open_app(document, model=ScriptedModel(["hi"]), store=path, tools=Tools().all()) as app:
        row = await app.store.process(turn.process.id)
        assert row is not None
        assert (row.status, row.exit_reason.partition(":")[0]) == ("failed", "quarantined")
        assert await app.store.mail() == []
        events = [event.type for event in await app.store.events_after(0)]
        assert events[-3:] == ["alert.quarantined", "turn.failed", "process.failed"]
        assert (await app.ask(HELPER, "and now?")).text == "hi"


async def test_an_agent_of_a_program_waits_until_it_is_spawned_under_its_name(tmp_path: Path) -> None:
    agent = vega.Agent(name="worker")
    path = tmp_path / "vega.db"
    async with vega.open_orchestrator(model=ScriptedModel(["one"]), store=path) as orch:
        named = await orch.spawn(agent, name="w1")
        nameless = await orch.spawn(agent)
        await named.send("first")
        left = killed(path)
    model = ScriptedModel(["two"])
    async with vega.open_orchestrator(model=model, store=left) as orch:
        assert [each.row.status for each in orch.recovered.all()] == ["pending", "pending"]
        again = await orch.spawn(agent, name="w1")
        assert (again.id, again.incarnation) == (named.id, named.incarnation + 1)
        assert (await again.send("second")).text == "two"
        await orch.kill(nameless.id)
        assert orch.recovered.all() == []
    assert [message.text for message in model.requests[0].messages] == ["first", "one", "second"]
    async with open_sqlite(left) as store:
        row = await store.process(nameless.id)
        assert row is not None
        assert (row.status, row.exit_reason) == ("failed", "killed")


async def test_a_run_goes_on_from_its_last_finished_step(document: Path, tmp_path: Path) -> None:
    asked = trio.Event()

    async def answer(request: ModelRequest) -> str:
        text = request.messages[-1].text
        if text == "think":
            return "a thought"
        if text.startswith("Review"):
            asked.set()
            await trio.sleep_forever()
        return f"code for {text}"

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(answer), store=path, tools=Tools().all()) as app:
        run = await app.run_workflow("review", {"task": "f"})
        await asked.wait()
        left = killed(path)
    model = ScriptedModel(["good"])
    async with vega.open_app(document, model=model, store=left, tools=Tools().all()) as app:
        again = app.runs.by_id[run.id]
        result = await again.wait()
        assert again.process is not None
        assert again.process.id == run.process_id
        steps = await app.store.records.query("wf_step", run=run.id)
        assert [row["status"] for row in steps] == ["completed"] * len(steps)
        assert len(steps) >= 4
        types = [event.type for event in await app.store.events_after(0, limit=1000)]
        assert types.count("workflow.started") == types.count("workflow.completed") == 1
        assert types.count("workflow.step_started") == types.count("workflow.step_finished") == len(steps)
        assert app.orch.recovered.all() == []
    assert len(model.requests) == 1
    said = model.requests[0].messages[-1].text
    assert said.startswith("Review code for f 20")  # the time that was read then
    assert said.endswith("a thought")
    assert result == f"{said.removeprefix('Review ').removesuffix(' a thought')} -> good"


async def test_a_run_whose_workflow_is_gone_is_interrupted(document: Path, tmp_path: Path) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        run = await app.run_workflow("review", {"task": "f"})
        await asked.wait()
        left = killed(path)
    document.write_text(DOCUMENT.replace("review:", "assess:"))
    async with vega.open_app(document, model=ScriptedModel([]), store=left, tools=Tools().all()) as app:
        row = await app.store.records.get("wf_run", run.id)
        assert row is not None
        assert row["status"] == "interrupted"
        assert {each.status for each in await app.processes()} == {"failed"}
        assert await app.store.mail() == []


async def test_every_stored_prefix_of_a_conversation_is_one_that_a_provider_accepts(
    document: Path, tmp_path: Path
) -> None:
    tools = Tools()
    tools.go_on = True
    two = [vega.ToolCall("t1", "look", {}), vega.ToolCall("t2", "act", {})]
    model = ScriptedModel([two, ["And ", call("act")], "done", "bye"])
    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=model, store=path, tools=tools.all()) as app:
        await app.ask(HELPER, "hello")
        await app.ask(HELPER, "goodbye")
        (row,) = await app.processes()
        messages = [each.message for each in await app.store.messages(row.id)]
    for end in range(len(messages) + 1):
        _check_valid(mended(messages[:end]))


def _check_valid(messages: tuple[vega.Message, ...]) -> None:
    """The Messages API: each call has one result in the very next message, and there is no other result."""
    for before, after in zip((vega.Message("user", ""), *messages), (*messages, vega.Message("user", "")), strict=True):
        called = [each.id for each in before.tool_calls]
        assert [each.tool_call_id for each in after.tool_results] == called


async def test_a_summary_outlives_the_program(document: Path, tmp_path: Path) -> None:
    path, session = tmp_path / "a.db", vega.Session("other")
    document.write_text("agents: {other: {model: demo, system: You are the other one.}}")
    asked: list[ModelRequest] = []

    def answer(request: ModelRequest) -> str:
        asked.append(request)
        return "the gist" if "Summarise" in request.messages[-1].text else "ok"

    async with vega.open_app(document, model=ScriptedModel(answer), store=path) as app:
        for number in range(5):
            await app.ask(session, f"question {number}")
        (proc,) = app.orch.processes()
        await proc.compact()
        before = proc.messages()
        assert "the gist" in before[0].text
        left = killed(path)
    async with vega.open_app(document, model=ScriptedModel(answer), store=left) as app:
        await app.ask(session, "and now?")
        assert asked[-1].messages == (*before, vega.Message("user", "and now?"))
        (proc,) = app.orch.processes()
        assert len(proc.messages()) == len(before) + 2


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("Review {{code}}", "Assess {{code}}", "interrupted"),
        ("workflows:", "\n\n# Moved, and not changed.\nworkflows:", "running"),
    ],
)
async def test_a_run_whose_workflow_was_changed_is_interrupted(
    document: Path, tmp_path: Path, before: str, after: str, status: str
) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        run = await app.run_workflow("review", {"task": "f"})
        await asked.wait()
        left = killed(path)
    document.write_text(DOCUMENT.replace(before, after))
    async with vega.open_app(document, model=ScriptedModel(hang), store=left, tools=Tools().all()) as app:
        row = await app.run(run.id)
        assert row["status"] == status
        assert ("was changed after the run had begun" in row["error"]) == (status == "interrupted")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('send: "think", save: thought}', 'send: "think", save: thought}\n        timeout: 1h'),
        ("save: thought}", "save: thought, timeout: 1h}"),
    ],
    ids=["of all within", "of an agent"],
)
async def test_a_step_s_time_limit_goes_on_over_a_crash(
    document: Path, tmp_path: Path, before: str, after: str
) -> None:
    asked = trio.Event()

    async def hang(_: ModelRequest) -> str:
        asked.set()
        await trio.sleep_forever()
        return ""

    document.write_text(DOCUMENT.replace(before, after))
    path = tmp_path / "vega.db"
    async with vega.open_app(document, model=ScriptedModel(hang), store=path, tools=Tools().all()) as app:
        run = await app.run_workflow("review", {"task": "f"}, timeout=1e9)
        await asked.wait()
        await app.store.submit(vega_changes.Put("wf_memory", "behind", {})).wait()
        left = killed(path)
    with closing(sqlite3.connect(left)) as conn:
        later = "json_set(row, '$.answer.began', json_extract(row, '$.answer.began') - 7200)"
        done = conn.execute(f"UPDATE wf_step SET row = {later} WHERE json_extract(row, '$.answer.began') IS NOT NULL")
        assert done.rowcount == 1
        conn.commit()
    async with vega.open_app(document, model=ScriptedModel(hang), store=left, tools=Tools().all()) as app:
        with pytest.raises(vega.RunFailed, match=r"3600 s|1h|did not finish"):
            await app.runs.by_id[run.id].wait()


@pytest.mark.parametrize("after", ["system: You differ.", None], ids=["changed", "gone"])
async def test_an_open_turn_goes_on_with_the_agent_that_it_began_with(
    document: Path, tmp_path: Path, after: str | None
) -> None:
    path, first, second = tmp_path / "vega.db", Tools(), Tools()
    second.go_on = True
    model = ScriptedModel([["Let me see. ", call("look")]])
    async with vega.open_app(document, model=model, store=path, tools=first.all()) as app:
        async with app.chat(HELPER, "hello") as turn:
            await first.entered.wait()
            left = killed(path)
    if after is None:
        document.write_text("agents: {other: {system: You are the other one.}}")
    else:
        document.write_text(DOCUMENT.replace("system: You help.", after))
    model = ScriptedModel(["all is well", "and so am I"][: 1 if after is None else 2])
    async with vega.open_app(document, model=model, store=left, tools=second.all()) as app:
        process = app.orch.get(turn.process.id)
        await process.wait()
        assert process.status == "completed"
        if after is not None:
            assert (await app.ask(HELPER, "and you?")).text == "and so am I"
            assert app.orch.get(turn.process.id).incarnation == process.incarnation + 1
    asked = [(request.system, [tool.name for tool in request.tools]) for request in model.requests]
    assert asked == [("You help.", ["look", "act"]), ("You differ.", ["look", "act"])][: len(asked)]
    assert model.requests[0].messages[-1].tool_results[0].content == "done"


async def test_taking_up_leaves_the_garbage_collector_as_it_was() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        with seldom_collected():
            assert gc.get_threshold()[0] > 700
        assert gc.get_threshold() == (700, 10, 10)
        gc.set_threshold(0)
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
