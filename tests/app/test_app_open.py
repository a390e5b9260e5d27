"""Opening the runtime: what it refuses, and that it leaves nothing behind when it does."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

import vega_trio as vega


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shutdown_timeout": -1}, "shutdown_timeout must be a number of seconds, at least 0, not -1"),
        ({"shutdown_timeout": "x"}, "not 'x'"),
        ({"shutdown_timeout": float("nan")}, "not nan"),
        ({"max_processes": 0}, "max_processes must be a whole number of at least 1, not 0"),
        ({"max_processes": "x"}, "not 'x'"),
        ({"model": 5}, "model must be a Model object or a string such as 'demo', not 5"),
        ({"store": 3}, "store must be a path, a Store object or None, not 3"),
    ],
)
async def test_a_senseless_argument_is_refused_at_once(options: dict[str, object], said: str) -> None:
    with trio.fail_after(2):
        with pytest.raises((TypeError, ValueError)) as caught:
            async with vega.open_orchestrator(**options):  # type: ignore[arg-type]
                raise AssertionError("it opened")
    assert said in str(caught.value)


async def test_a_model_string_that_names_no_provider_is_refused_when_an_agent_needs_it() -> None:
    with trio.fail_after(2):
        async with vega.open_orchestrator(model="anthropc:claude") as orch:
            with pytest.raises(vega.ConfigError, match="unknown provider 'anthropc'; did you mean 'anthropic'"):
                await orch.spawn(vega.Agent(name="a", system="s"))


async def fail_inside() -> None:
    async with vega.open_orchestrator(model="demo") as orch:
        await orch.spawn(vega.Agent(name="a", system="s"))
        raise KeyError("mine")


async def test_the_blocks_own_error_leaves_bare() -> None:
    with trio.fail_after(2), pytest.raises(KeyError):
        await fail_inside()


async def test_the_limits_of_alerts_can_be_set(autojump_clock: MockClock) -> None:
    async def stubborn(me: vega.Process) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(9)

    with trio.fail_after(100):
        async with vega.open_orchestrator(model="demo", health=vega.HealthConfig(unkillable=5)) as orch:
            async with orch.subscribe([vega.HealthAlert]) as alerts:
                proc = await orch.spawn(stubborn)
                proc.kill()
                alert = await anext(alerts)
    assert (alert.kind, alert.threshold, alert.process_id) == ("unkillable", 5, proc.id)  # type: ignore[attr-defined]
