"""What a program that is observed shows: spans that nest across mailboxes, failures; nothing when it is not."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import error_attributes, gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

import vega_trio as vega
from vega_trio.telemetry import genai, setup
from vega_trio.testing import FakeTool, ScriptedModel

EXPORTER, READER = InMemorySpanExporter(), InMemoryMetricReader()
GOLDEN = Path(__file__).parent / "golden_spans.json"
"""`VEGA_GOLDEN=1` writes it anew."""
VARYING = (genai.PROCESS_ID, genai.TURN_ID, genai.CONVERSATION)


@pytest.fixture(scope="session", autouse=True)
def _providers() -> None:
    """OpenTelemetry takes one of each in a program's life."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([READER]))


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(20):
        yield


def spans() -> dict[str, ReadableSpan]:
    return {span.name: span for span in EXPORTER.get_finished_spans()}


async def test_a_turn_its_calls_and_its_tools_are_spans_below_who_asked() -> None:
    steps = [vega.ToolCall("t1", "look", {}), "done"]
    agent = vega.Agent(name="coder", tools=[FakeTool("look")], temperature=0.5)
    with ScriptedModel(steps, price=1000) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            with trace.get_tracer("mine").start_as_current_span("mine"):
                await proc.send("go")
    found = spans()
    mine, turn, chat, tool = (found[name] for name in ("mine", "invoke_agent coder", "chat test", "execute_tool look"))
    assert mine.context is not None
    assert turn.context is not None
    assert {span.context.trace_id for span in found.values() if span.context} == {mine.context.trace_id}
    assert turn.parent is not None
    assert turn.parent.span_id == mine.context.span_id
    assert all(span.parent is not None and span.parent.span_id == turn.context.span_id for span in (chat, tool))
    assert turn.attributes is not None
    assert turn.attributes["vega.process.id"] == proc.id
    assert turn.attributes["gen_ai.usage.output_tokens"] == 10
    assert turn.attributes["vega.cost_usd"] == pytest.approx(0.03)
    assert chat.attributes is not None
    assert chat.attributes["gen_ai.provider.name"] == "scripted"
    assert chat.attributes["gen_ai.request.temperature"] == 0.5
    assert tool.attributes is not None
    assert tool.attributes["gen_ai.tool.call.id"] == "t1"
    assert not any("go" in str(span.attributes) for span in (turn, chat))


async def test_what_one_agent_asks_of_another_is_one_trace() -> None:
    async def ask(context: vega.ToolContext) -> str:
        return await context.ask("helper", "help")

    model = ScriptedModel([vega.ToolCall("t", "ask", {}), "helped", "done"])
    async with vega.open_orchestrator(model=model) as orch:
        await orch.spawn(vega.Agent(name="helper"), name="helper")
        await (await orch.spawn(vega.Agent(name="leader", tools=[ask]))).send("go")
    found = spans()
    tool, helper = found["execute_tool ask"], found["invoke_agent helper"]
    assert tool.context is not None
    assert helper.parent is not None
    assert helper.parent.span_id == tool.context.span_id


def told(found: Iterable[ReadableSpan]) -> list[dict[str, Any]]:
    """Spans in the order in which they began, without what is another in each run."""
    spans = sorted(found, key=lambda span: span.start_time or 0)
    names = {span.context.span_id: span.name for span in spans if span.context}
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "status": [span.status.status_code.name, span.status.description],
            "parent": names.get(span.parent.span_id) if span.parent else None,
            "attributes": {
                name: "*" if name in VARYING else list(value) if isinstance(value, tuple) else value
                for name, value in sorted((span.attributes or {}).items())
            },
        }
        for span in spans
    ]


async def test_the_spans_of_a_conversation_are_those_on_record() -> None:
    """Whoever reads them has queries and charts: what is renamed is renamed on purpose."""

    async def ask(context: vega.ToolContext) -> str:
        return await context.ask("helper", "help")

    wrong = vega.ModelError("no such thing", vega.ErrorClass.INVALID_REQUEST)
    model = ScriptedModel([vega.ToolCall("t", "ask", {}), "helped", "done", wrong], price=1000)
    before = len(EXPORTER.get_finished_spans())
    async with vega.open_orchestrator(model=model) as orch:
        await orch.spawn(vega.Agent(name="helper"), name="helper")
        leader = await orch.spawn(vega.Agent(name="leader", tools=[ask], temperature=0.5))
        await leader.send("go")
        with pytest.raises(vega.TurnFailed):
            await leader.send("again")
    found = told(EXPORTER.get_finished_spans()[before:])
    if os.environ.get("VEGA_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n")
    assert found == json.loads(GOLDEN.read_text())


async def test_every_name_that_is_not_ours_is_one_of_the_conventions() -> None:
    modules = (gen_ai_attributes, error_attributes, gen_ai_metrics)
    known = {name for module in modules for name in vars(module).values() if isinstance(name, str)}
    used = {name for name in vars(genai).values() if isinstance(name, str) and "." in name}
    theirs = {name for name in used if name.startswith(("gen_ai.", "error."))}
    assert len(theirs) >= 15
    assert theirs - known == set()
    operations = {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    assert {genai.INVOKE_AGENT, genai.INVOKE_WORKFLOW, genai.CHAT, genai.EXECUTE_TOOL} <= operations


async def test_failures_and_cancels_are_marked() -> None:
    async def never(_: vega.ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    before = len(EXPORTER.get_finished_spans())
    wrong = vega.ModelError("no such thing", vega.ErrorClass.INVALID_REQUEST)
    async with vega.open_orchestrator(model=ScriptedModel([wrong, never])) as orch:
        proc = await orch.spawn(vega.Agent(name="a"))
        with pytest.raises(vega.TurnFailed):
            await proc.send("go")
        first = EXPORTER.get_finished_spans()[before:]
        pending = proc.start_send("again")
        await trio.testing.wait_all_tasks_blocked()
        pending.cancel()
        with pytest.raises(vega.TurnCancelled):
            await pending.wait()
    later = EXPORTER.get_finished_spans()[before + len(first) :]
    kinds = [[span.attributes.get("error.type") for span in each if span.attributes] for each in (first, later)]
    assert kinds == [["invalid_request"] * 2, ["cancelled"] * 2]
    assert not any(span.status.is_ok for span in (*first, *later))


async def test_tokens_and_durations_are_measured() -> None:
    async with vega.open_orchestrator(model=ScriptedModel(["ok"])) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        await proc.send("go")
    data = READER.get_metrics_data()
    assert data is not None
    names = {metric.name for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics}
    assert {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"} <= names


@pytest.mark.e2e
async def test_who_does_not_ask_is_not_observed() -> None:
    assert setup.telemetry_of({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}) is None
    code = (
        "import sys\nfrom vega_trio.telemetry.setup import telemetry_of\n"
        "assert telemetry_of({}) is None and telemetry_of({'OTEL_TRACES_EXPORTER': 'none'}) is None\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)\n"
    )
    await trio.run_process([sys.executable, "-c", code])


async def test_a_run_is_a_span_above_the_turns_of_its_steps(tmp_path: Path) -> None:
    path = tmp_path / "w.vega.yaml"
    path.write_text("agents: {step: {system: x}}\nworkflows: {w: {steps: [{step: go}]}}\n")
    async with vega.open_app(path, model=ScriptedModel(["done"])) as app:
        run = await app.run_workflow("w", {})
        await run.wait()
    found = spans()
    above, turn = found["invoke_workflow w"], found["invoke_agent step"]
    assert above.attributes is not None
    assert above.attributes["vega.run.id"] == run.id
    assert above.context is not None
    assert turn.parent is not None
    assert turn.parent.span_id == above.context.span_id
    assert turn.attributes is not None
    assert turn.attributes["vega.run.id"] == run.id


async def test_an_incarnation_is_linked_to_the_one_before_and_says_of_what_that_died() -> None:
    before = len(EXPORTER.get_finished_spans())
    model = ScriptedModel([RuntimeError("a bug"), "here again", "and on"])
    agent = vega.Agent(name="phoenix", supervision=vega.Supervision("restart", backoff=vega.BackoffConfig(initial=0)))
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        await proc.send("go")
        await proc.send("and")
    turns = [span for span in EXPORTER.get_finished_spans()[before:] if span.name == "invoke_agent phoenix"]
    died, again, last = (dict(span.attributes or {}) for span in turns)
    assert died["vega.process.exit_reason"] == "crashed: RuntimeError: a bug"
    assert died["vega.process.supervisor"] == "root"
    assert [each["vega.process.incarnation"] for each in (died, again, last)] == [1, 2, 2]
    assert [link.context for link in turns[1].links] == [turns[0].context]
    assert not turns[0].links
    assert not turns[2].links
    assert "vega.process.exit_reason" not in again


async def test_a_turn_that_its_processs_stop_cut_short_is_cancelled_and_says_why() -> None:
    async def never(_: vega.ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    before = len(EXPORTER.get_finished_spans())
    spec = vega.SupervisorSpec(children=[vega.ChildSpec("w", vega.Agent(name="worker"))])
    async with vega.open_orchestrator(model=ScriptedModel(never)) as orch:
        team = await orch.supervise(spec, name="team")
        worker = team.get_child("w").process
        assert worker is not None
        worker.start_send("go")
        await trio.testing.wait_all_tasks_blocked()
        await team.terminate_child("w")
    (turn,) = [span for span in EXPORTER.get_finished_spans()[before:] if span.name == "invoke_agent worker"]
    assert turn.attributes is not None
    assert turn.attributes["error.type"] == "cancelled"
    assert turn.attributes["vega.process.exit_reason"] == "shutdown"
    assert turn.attributes["vega.process.supervisor"] == team.id


def measured() -> dict[str, list[tuple[dict[str, object], float]]]:
    """What the gauges of the last hour say, by name."""
    data = READER.get_metrics_data()
    assert data is not None
    scopes = [scope for each in data.resource_metrics for scope in each.scope_metrics]
    return {
        metric.name: [(dict(point.attributes or {}), point.value) for point in metric.data.data_points]
        for scope in scopes
        for metric in scope.metrics
        if metric.name.startswith("vega.")
    }


async def test_processes_restarts_mailboxes_and_budgets_are_measured_also_from_another_thread() -> None:
    asked, release = trio.Event(), trio.Event()

    async def slow(_: vega.ModelRequest) -> str:
        asked.set()
        await release.wait()
        return "ok"

    model = ScriptedModel([RuntimeError("a bug"), slow, "ok"], price=1_000)
    agent = vega.Agent(name="m", budget=5.0, supervision=vega.Supervision("restart"))
    async with vega.open_orchestrator(model=model, budget=9.0) as orch, orch.spawn(agent) as proc:
        first, second = proc.start_send("one"), proc.start_send("two")
        await asked.wait()
        found = await trio.to_thread.run_sync(measured)
        assert ({"gen_ai.agent.name": "m"}, 1) in found["vega.mailbox.length"]
        assert ({"vega.process.status": "running"}, 1) in found["vega.processes"]
        assert [value for _, value in found["vega.restarts"]] == [1]
        release.set()
        await first.wait()
        await second.wait()
        left = {str(label["vega.budget.scope"]): value for label, value in measured()["vega.budget.remaining"]}
        spent = proc.metrics.cost_microusd / 1_000_000
        assert left == {"m": pytest.approx(5.0 - spent), "the application": pytest.approx(9.0 - spent)}
    assert "vega.processes" not in measured()


async def test_a_secret_in_an_error_is_in_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "canary-123456")
    before = len(EXPORTER.get_finished_spans())
    model = ScriptedModel([RuntimeError("GET /?key=canary-123456 failed")])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(vega.Agent(name="leaky"))
        with pytest.raises(vega.ProcessExited):
            await proc.send("go")
    text = "".join(span.to_json() for span in EXPORTER.get_finished_spans()[before:])
    assert "crashed: RuntimeError: GET /?key=*** failed" in text
    assert "canary" not in text
