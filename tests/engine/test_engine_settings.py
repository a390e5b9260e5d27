"""Every setting of an agent does what it says, for callers who wait and callers who stream alike.

A row makes an agent with the setting and a model, asks, and says what must have come of it; each row fails when the
setting is ignored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
import pytest
import trio
from talk import WAYS, Told, Way
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import FakeTool, ScriptedModel, ScriptedReply

BUSY = vega.ModelError("busy", vega.ErrorClass.OVERLOADED)
SILENT = vega.ModelError("silent", vega.ErrorClass.TIMEOUT)
AT_ONCE = vega.RetryPolicy(max_attempts=1)
STEADY = vega.BackoffConfig(initial=1.0)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10_000):
        yield


@attrs.define
class Scene:
    """What a row may look at: the model, and a process of the agent that is asked by `ask`."""

    model: ScriptedModel
    proc: vega.Process
    ask: Way

    async def told(self, text: str = "hi") -> Told:
        return await self.ask(self.proc, text)

    async def classes(self, count: int) -> list[str]:
        """The error classes of so many turns, one after the other; empty where there was a reply."""
        return [(await self.told()).error_class for _ in range(count)]


Row = tuple[dict[str, Any], object, Callable[[Scene], Awaitable[None]]]


def calling(request: ModelRequest) -> vega.ToolCall:
    return vega.ToolCall(f"c{len(request.messages)}", "look", {"at": len(request.messages)})


async def temperature(scene: Scene) -> None:
    await scene.told()
    assert scene.model.requests[0].temperature == 0.3


async def system(scene: Scene) -> None:
    await scene.told()
    assert scene.model.requests[0].system == "Be brief."


async def max_tokens(scene: Scene) -> None:
    await scene.told()
    assert scene.model.requests[0].max_tokens == 77


async def thinking(scene: Scene) -> None:
    await scene.told()
    assert scene.model.requests[0].thinking == 2000


async def max_iterations(scene: Scene) -> None:
    told = await scene.told()
    assert (told.error_class, len(scene.model.requests)) == ("limit_exceeded", 3)


async def tools(scene: Scene) -> None:
    await scene.told()
    assert [tool.name for tool in scene.model.requests[0].tools] == ["look"]
    assert "not available to this agent" in str(scene.model.requests[1].messages)


async def output(scene: Scene) -> None:
    assert (await scene.told()).error_class == "format_error"


async def budget(scene: Scene) -> None:
    assert await scene.classes(3) == ["", "budget_exceeded", "budget_exceeded"]
    assert scene.proc.metrics.cost_microusd <= 40_000


async def budget_that_warns(scene: Scene) -> None:
    assert await scene.classes(3) == ["", "", ""]


async def retry_attempts(scene: Scene) -> None:
    start = trio.current_time()
    assert await scene.classes(1) == ["overloaded"]
    assert len(scene.model.requests) == 3
    assert trio.current_time() - start == pytest.approx(3.0, abs=0.1)


async def retry_on(scene: Scene) -> None:
    assert await scene.classes(2) == ["overloaded", "timeout"]
    assert len(scene.model.requests) == 1 + 2


async def fallback_model(scene: Scene) -> None:
    assert await scene.told() == Told("the other one")


async def requests_per_minute(scene: Scene) -> None:
    start = trio.current_time()
    assert await scene.classes(3) == ["", "", ""]
    assert trio.current_time() - start == pytest.approx(30.0, abs=0.1)


async def tokens_per_minute(scene: Scene) -> None:
    start = trio.current_time()
    assert await scene.classes(4) == ["", "", "", ""]
    assert trio.current_time() - start > 20


async def rate_limit_that_rejects(scene: Scene) -> None:
    assert await scene.classes(3) == ["", "", "rate_limit"]


async def circuit_breaker(scene: Scene) -> None:
    assert await scene.classes(3) == ["overloaded", "overloaded", "temporary"]
    assert len(scene.model.requests) == 2
    await trio.sleep(60)
    assert await scene.classes(1) == [""]


async def tool_timeout(scene: Scene) -> None:
    start = trio.current_time()
    assert await scene.told() == Told("done")
    assert trio.current_time() - start == pytest.approx(7.0, abs=0.1)
    assert "did not finish within 7 s" in str(scene.proc.messages())


async def context(scene: Scene) -> None:
    for _ in range(5):
        await scene.told("word " * 100)
    sizes = [len(request.messages) for request in scene.model.requests]
    assert max(sizes) <= 3


async def supervision(scene: Scene) -> None:
    assert await scene.told() == Told("here again")
    assert scene.proc.incarnation == 2


async def supervision_that_stops(scene: Scene) -> None:
    with suppress(vega.ProcessExited):
        await scene.told()
    assert (await scene.proc.wait()).abnormal
    assert scene.proc.incarnation == 1


async def supervision_that_gives_up(scene: Scene) -> None:
    with suppress(vega.ProcessExited):
        await scene.told()
    assert (await scene.proc.wait()).abnormal
    assert (scene.proc.incarnation, scene.proc.status) == (2, "failed")


async def supervision_backoff(scene: Scene) -> None:
    start = trio.current_time()
    assert await scene.told() == Told("here again")
    assert trio.current_time() - start == pytest.approx(7.0, abs=0.1)


CRASH = RuntimeError("a bug")
PRICED = ScriptedReply("ok")
LOOK = vega.ToolCall("t", "look", {})


async def hang(_: object) -> str:
    await trio.sleep_forever()
    raise AssertionError


NEVER = FakeTool("look", hang, timeout_s=7.0)

ROWS: dict[str, Row] = {
    "temperature": ({"temperature": 0.3}, ["ok"], temperature),
    "system": ({"system": "Be brief."}, ["ok"], system),
    "max_tokens": ({"max_tokens": 77}, ["ok"], max_tokens),
    "thinking": ({"thinking": 2000}, ["ok"], thinking),
    "max_iterations": ({"max_iterations": 3, "tools": [FakeTool("look")]}, calling, max_iterations),
    "tools": ({"tools": [FakeTool("look")]}, [vega.ToolCall("t", "other", {}), "ok"], tools),
    "output": ({"output": {"type": "object"}}, ["no", "no"], output),
    "budget": ({"budget": 0.04, "max_tokens": 5}, lambda _: PRICED, budget),
    "budget warn": ({"budget": vega.Budget(0.02, "warn")}, lambda _: PRICED, budget_that_warns),
    "retry": ({"retry": vega.RetryPolicy(3, STEADY)}, [BUSY] * 3, retry_attempts),
    "retry_on": (
        {"retry": vega.RetryPolicy(2, STEADY, (vega.ErrorClass.TIMEOUT,))},
        [BUSY, SILENT, SILENT],
        retry_on,
    ),
    "fallback_model": (
        {"retry": AT_ONCE, "fallback_model": ScriptedModel(["the other one"] * len(WAYS))},
        [BUSY],
        fallback_model,
    ),
    "requests_per_minute": ({"rate_limit": vega.RateLimit(2)}, lambda _: "ok", requests_per_minute),
    "tokens_per_minute": ({"rate_limit": vega.RateLimit(None, 30)}, lambda _: "ok", tokens_per_minute),
    "rate_limit reject": (
        {"rate_limit": vega.RateLimit(2, strategy="reject"), "retry": AT_ONCE},
        lambda _: "ok",
        rate_limit_that_rejects,
    ),
    "circuit_breaker": (
        {"retry": AT_ONCE, "circuit_breaker": vega.CircuitBreaker(2, 60.0)},
        [BUSY, BUSY, "ok"],
        circuit_breaker,
    ),
    "tool timeout": ({"tools": [NEVER]}, [LOOK, "done"], tool_timeout),
    "context": ({"context": vega.TokenBudget(300)}, lambda _: "ok", context),
    "supervision": ({"supervision": vega.Supervision("restart")}, [CRASH, "here again"], supervision),
    "supervision max_restarts": (
        {"supervision": vega.Supervision("restart", max_restarts=1, backoff=vega.BackoffConfig(initial=0))},
        [CRASH, CRASH],
        supervision_that_gives_up,
    ),
    "supervision backoff": (
        {"supervision": vega.Supervision("restart", backoff=vega.BackoffConfig(initial=7.0))},
        [CRASH, "here again"],
        supervision_backoff,
    ),
    "supervision stop": ({"supervision": vega.Supervision("stop")}, [CRASH], supervision_that_stops),
}


async def test_all_settings_that_users_were_promised_are_in_the_table() -> None:
    promised = "temperature max_iterations budget retry retry_on requests_per_minute tokens_per_minute circuit_breaker"
    assert {*promised.split(), "tool timeout", "supervision"} <= set(ROWS)


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("name", ROWS)
async def test_the_setting_is_enforced(name: str, ask: Way, autojump_clock: MockClock) -> None:
    fields, script, row = ROWS[name]
    agent = vega.Agent(name="a", **fields)
    with ScriptedModel(script, price=1_000 if name.startswith("budget") else 0) as model:  # type: ignore[arg-type]
        async with vega.open_orchestrator(model=model) as orch:
            await row(Scene(model, await orch.spawn(agent), ask))


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [("VEGA_TIMEOUT", "90s", 90.0), ("", "", 300.0)],
)
async def test_a_model_call_lasts_no_longer_than_vega_timeout(
    variable: str, value: str, expected: float, ask: Way, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, value)

    async def never(_: ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    agent = vega.Agent(name="a", retry=AT_ONCE)
    async with vega.open_orchestrator(model=ScriptedModel(never)) as orch, orch.spawn(agent) as proc:
        start = trio.current_time()
        assert (await ask(proc, "hi")).error_class == "timeout"
        assert trio.current_time() - start == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("ask", WAYS)
async def test_a_process_past_its_deadline_ends_with_the_status_timeout(ask: Way, autojump_clock: MockClock) -> None:
    async def never(_: ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    async with vega.open_orchestrator(model=ScriptedModel(never)) as orch:
        proc = await orch.spawn(vega.Agent(name="a"), deadline=20.0)
        with suppress(vega.ProcessExited):
            await ask(proc, "hi")
        await proc.wait()
        assert proc.status == "timeout"


@pytest.mark.parametrize("ask", WAYS)
async def test_vega_max_tokens_is_the_default_of_agents_that_do_not_say(
    ask: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEGA_MAX_TOKENS", "500")
    model = ScriptedModel(["ok", "ok"])
    async with vega.open_orchestrator(model=model) as orch:
        for agent in (vega.Agent(name="a"), vega.Agent(name="b", max_tokens=77)):
            async with orch.spawn(agent) as proc:
                await ask(proc, "hi")
    assert [request.max_tokens for request in model.requests] == [500, 77]


@pytest.mark.parametrize("value", ["0", "-5", "many", "1" * 30, "٣"])
async def test_a_vega_max_tokens_that_is_no_number_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEGA_MAX_TOKENS", value)
    with pytest.raises(vega.ConfigError, match="VEGA_MAX_TOKENS"):
        async with vega.open_orchestrator(model=ScriptedModel()):
            pass


async def test_a_vega_max_tokens_below_an_agents_thinking_says_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEGA_MAX_TOKENS", "1500")
    async with vega.open_orchestrator(model=ScriptedModel()) as orch:
        with pytest.raises(vega.ConfigError, match="'a' may think for 2000 tokens, of the 1500 that VEGA_MAX_TOKENS"):
            await orch.spawn(vega.Agent(name="a", thinking=2000))
