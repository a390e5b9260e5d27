"""What a document says about retries, limits and budgets is enforced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.changes import Put
from vega_trio.store.memory import MemoryStore
from vega_trio.testing import ScriptedModel
from vega_trio.testing.scripted import ScriptedReply

DOWN = vega.ModelError("down", vega.ErrorClass.TEMPORARY)
SESSION = vega.Session("Coder")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10_000):
        yield


def write(folder: Path, *, agent: str = "", settings: str = "", step: str = "") -> Path:
    path = folder / "team.vega.yaml"
    path.write_text(
        f"agents:\n  Coder:\n    system: You code.\n    model: demo\n    max_tokens: 50\n{agent}"
        "workflows:\n  w:\n    inputs: {task: string}\n    steps:\n"
        f"      - Coder:\n          send: '{{{{task}}}}'\n{step}"
        f"settings:\n  sandbox: {folder}\n{settings}"
    )
    return path


async def told(app: vega.App, text: str = "hi") -> tuple[str, str]:
    """The reply's text, or the failure's class; the same for a caller who streams."""
    try:
        return (await app.ask(SESSION, text)).text, ""
    except vega.TurnFailed as failed:
        return "", failed.error_class.value


async def streamed(app: vega.App, text: str = "hi") -> tuple[str, str]:
    async with app.chat(SESSION, text) as events:
        async for event in events:
            match event:
                case vega.TurnFinished():
                    return event.text, ""
                case vega.TurnFailure():
                    return "", event.error_class
    raise AssertionError("the stream has no end")


both_ways = pytest.mark.parametrize("ask", [told, streamed])


RETRY = "    retry: {max_attempts: 2, backoff: {type: constant, initial: 10s, jitter: 0}, retry_on: [temporary]}\n"


@both_ways
@pytest.mark.parametrize("where", ["agent", "settings"])
async def test_retry(ask: object, where: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    path = write(tmp_path, **{where: RETRY if where == "agent" else RETRY[2:]})
    with ScriptedModel([DOWN, "back", DOWN, DOWN]) as model:
        async with vega.open_app(path, model=model) as app:
            start = trio.current_time()
            assert await ask(app) == ("back", "")  # type: ignore[operator]
            assert trio.current_time() - start == pytest.approx(10, abs=0.1)
            assert await ask(app) == ("", "temporary")  # type: ignore[operator]


@both_ways
@pytest.mark.parametrize("where", ["agent", "settings"])
async def test_circuit_breaker(ask: object, where: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    breaker = "    retry: {max_attempts: 1}\n    circuit_breaker: {threshold: 1, reset_after: 30s}\n"
    path = write(tmp_path, **{where: breaker if where == "agent" else breaker.replace("    ", "  ")})
    with ScriptedModel([DOWN, "back"]) as model:
        async with vega.open_app(path, model=model) as app:
            assert [await ask(app) for _ in range(2)] == [("", "temporary")] * 2  # type: ignore[operator]
            assert len(model.requests) == 1
            await trio.sleep(30)
            assert await ask(app) == ("back", "")  # type: ignore[operator]


@both_ways
@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("agent", "    rate_limit: {requests_per_minute: 1}\n"),
        ("settings", "  rate_limit: {requests_per_minute: 1}\n"),
        ("settings", "  rate_limit: {requests_per_minute: 9, models: {'scripted:test': {requests_per_minute: 1}}}\n"),
    ],
)
async def test_rate_limit(ask: object, where: str, text: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with vega.open_app(write(tmp_path, **{where: text}), model=ScriptedModel(lambda _: "ok")) as app:
        start = trio.current_time()
        for _ in range(3):
            assert await ask(app) == ("ok", "")  # type: ignore[operator]
        assert trio.current_time() - start == pytest.approx(120, abs=0.1)


@both_ways
async def test_a_price_of_the_document_holds_for_its_budgets(ask: object, tmp_path: Path) -> None:
    prices = "  prices: {demo: {input: $0, output: $1000}}\n"  # a tenth of a cent a token
    path = write(tmp_path, agent="    budget: $0.04\n", settings=prices)
    async with vega.open_app(path) as app:
        assert await ask(app) == ("", "budget_exceeded")  # type: ignore[operator]
    path = write(tmp_path, agent="    budget: $1\n", settings=prices)
    async with vega.open_app(path) as app:
        assert (await ask(app))[1] == ""  # type: ignore[operator]
        [row] = await app.processes()
        assert row.cost_microusd == row.output_tokens * 1_000


@both_ways
async def test_rate_limit_strategy(ask: object, tmp_path: Path, autojump_clock: MockClock) -> None:
    text = "  rate_limit: {requests_per_minute: 1, strategy: reject}\n"
    async with vega.open_app(write(tmp_path, settings=text), model=ScriptedModel(lambda _: "ok")) as app:
        assert await ask(app) == ("ok", "")  # type: ignore[operator]
        assert await ask(app) == ("", "rate_limit")  # type: ignore[operator]


def priced() -> ScriptedModel:
    return ScriptedModel(lambda _: ScriptedReply("ok", vega.Usage(10, 5)), price=1000)


@both_ways
@pytest.mark.parametrize(
    ("where", "text"), [("agent", "    budget: $0.001\n"), ("settings", "  budget: {limit: 0.001, on_exceed: block}\n")]
)
async def test_budget(ask: object, where: str, text: str, tmp_path: Path) -> None:
    async with vega.open_app(write(tmp_path, **{where: text}), model=priced()) as app:
        assert await ask(app) == ("", "budget_exceeded")  # type: ignore[operator]
    async with vega.open_app(write(tmp_path, **{where: text.replace("0.001", "1")}), model=priced()) as app:
        assert await ask(app) == ("ok", "")  # type: ignore[operator]


@both_ways
async def test_the_documents_budget_counts_what_was_spent_before_the_restart(ask: object, tmp_path: Path) -> None:
    store, path = MemoryStore(), write(tmp_path, settings="  budget: $0.2\n")
    answers = []
    for _ in range(12):
        async with vega.open_app(path, model=priced(), store=store) as app:
            answers.append(await ask(app))  # type: ignore[operator]
    spent = answers.count(("ok", "")) * 0.015
    assert 0.03 < spent <= 0.2
    assert answers[-1] == ("", "budget_exceeded")


@both_ways
async def test_a_reservation_that_a_crash_left_behind_counts_as_spent(ask: object, tmp_path: Path) -> None:
    store, path = MemoryStore(), write(tmp_path, settings="  budget: $0.2\n")

    async def never(request: vega.ModelRequest) -> str:
        row = await store.records.get("setting", "spend.total")
        assert row is not None
        held.append(row["microusd"])
        return "ok"

    held: list[int] = []
    async with vega.open_app(path, model=ScriptedModel(never, price=1000), store=store) as app:
        await ask(app)  # type: ignore[operator]
    assert held[0] > 50_000  # 50 tokens of answer at least, before the call was made


@both_ways
async def test_a_budget_by_the_day_begins_anew_with_the_day(ask: object, tmp_path: Path) -> None:
    path = write(tmp_path, settings="  budget: {limit: $0.2, per: day}\n")
    store = MemoryStore()
    await store.submit(Put("setting", "spend.2001-01-01", {"microusd": 199_999})).wait()
    async with vega.open_app(path, model=priced(), store=store) as app:
        assert await ask(app) == ("ok", "")  # type: ignore[operator]


async def test_a_fallback_model_is_the_settings_or_the_agents_and_a_wrong_name_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, agent="    fallback_model: nosuch:model\n")
    with pytest.raises(vega.DocumentError, match="nosuch"):
        async with vega.open_app(path):
            pass
    path = write(tmp_path, settings="  fallback_model: demo\n")
    async with vega.open_app(path) as app:
        assert app.agents()[0].agent.fallback_model == "demo"


# -- steps


async def test_a_step_is_asked_again_as_often_as_it_says(tmp_path: Path, autojump_clock: MockClock) -> None:
    path = write(tmp_path, agent="    retry: {max_attempts: 1}\n", step="          retry: 2\n")
    with ScriptedModel([DOWN, DOWN, "done", DOWN, DOWN, DOWN]) as model:
        async with vega.open_app(path, model=model) as app:
            run = await app.run_workflow("w", {"task": "x"})
            assert await run.wait() == "done"
            failing = await app.run_workflow("w", {"task": "x"})
            with pytest.raises(vega.RunFailed) as caught:
                await failing.wait()
            assert caught.value.error_class == "temporary"


async def test_a_step_is_not_asked_again_for_what_would_fail_again(tmp_path: Path) -> None:
    with ScriptedModel([vega.ModelError("no", vega.ErrorClass.INVALID_REQUEST)]) as model:
        async with vega.open_app(write(tmp_path, step="          retry: 2\n"), model=model) as app:
            run = await app.run_workflow("w", {"task": "x"})
            with pytest.raises(vega.RunFailed):
                await run.wait()


async def test_a_step_past_its_timeout_is_asked_again_only_if_it_says_retry(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    asked = []

    async def slow_at_first(request: vega.ModelRequest) -> str:
        asked.append(1)
        await trio.sleep(10 if len(asked) == 1 else 0)
        return "done"

    path = write(tmp_path, step="          timeout: 5s\n          retry: 1\n")
    async with vega.open_app(path, model=ScriptedModel(slow_at_first)) as app:
        assert await (await app.run_workflow("w", {"task": "x"})).wait() == "done"
    assert len(asked) == 2


async def test_a_steps_budget_caps_the_ask_and_its_failure_has_the_class(tmp_path: Path) -> None:
    async with vega.open_app(write(tmp_path, step="          budget: $0.001\n"), model=priced()) as app:
        run = await app.run_workflow("w", {"task": "x"})
        with pytest.raises(vega.RunFailed, match="spent by step w/0") as caught:
            await run.wait()
        assert caught.value.error_class == "budget_exceeded"
    async with vega.open_app(write(tmp_path, step="          budget: $1\n"), model=priced()) as app:
        assert await (await app.run_workflow("w", {"task": "x"})).wait() == "ok"
