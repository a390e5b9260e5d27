"""The simulator: the same seed is the same run, and a failure says how to see it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from trio._core import _run

import vega_trio as vega
from vega_trio import ChildSpec, SupervisorSpec
from vega_trio.messages import ToolCall
from vega_trio.runtime import Process
from vega_trio.testing import (
    Faults,
    ScriptedModel,
    Simulation,
    SimulationFailed,
    seeds,
    simulate,
    simulate_cancellation,
)
from vega_trio.testing.scheduler import Stuck, Watch

BADLY = Faults(fail_start=0.1, slow_start=0.2, crash=0.4, hang=0.1, fail_cleanup=0.2, slow_cleanup=0.2)


async def echo(me: Process) -> None:
    async for mail in me.inbox:
        mail.reply(mail.message)


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def bad_day(sim: Simulation) -> None:
    children = [ChildSpec(name, sim.nemesis.haunt(echo, BADLY)) for name in "abc"]
    inner = ChildSpec("inner", SupervisorSpec("one_for_all", children, max_restarts=5))  # type: ignore[arg-type]
    try:
        await sim.orch.supervise(SupervisorSpec(children=[inner], max_restarts=None), fatal=False)
    except vega.FailedToStart as failure:
        sim.note(str(failure))
    await sim.nemesis.storm(30, sim.orch.processes)


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    traces = ["\n".join(simulate(bad_day, seed=seed)) for seed in (1, 2, 1, 2)]
    assert traces[0] == traces[2]
    assert traces[1] == traces[3]
    assert traces[0] != traces[1]
    assert "nemesis: kill" in traces[0]


@pytest.mark.e2e
def test_a_trace_is_the_same_in_another_interpreter_with_other_hashes() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_testing_simulation as tests;"
        "print('\\n'.join(tests.simulate(tests.bad_day, seed=7)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }  # fmt: skip
    assert outputs == {"\n".join(simulate(bad_day, seed=7)) + "\n"}


def test_a_trace_tells_times_events_and_notes_in_their_order() -> None:
    async def scenario(sim: Simulation) -> None:
        proc = await sim.orch.spawn(sleeper)
        await trio.sleep(2.5)
        sim.note("now")
        proc.kill()
        await proc.wait()

    started, note, failed, end = simulate(scenario, seed=0)
    assert started.startswith('0.000000 {"type":"process.started","process_id":"id1"')
    assert note == "2.500000 now"
    assert failed.startswith('2.500000 {"type":"process.failed"')
    assert end.startswith("finished, scheduled as ")


def test_seeds_differ_in_the_order_of_tasks() -> None:
    async def scenario(sim: Simulation) -> None:
        async def say(word: str) -> None:
            sim.note(word)

        async with trio.open_nursery() as nursery:
            for word in "abcd":
                nursery.start_soon(say, word)

    assert len({"".join(line[-1] for line in simulate(scenario, seed=seed)[:4]) for seed in range(30)}) > 5


def test_a_failure_says_its_seed_how_to_replay_it_and_what_happened() -> None:
    async def scenario(sim: Simulation) -> None:
        sim.note("before")
        await trio.sleep(1)
        assert sim.seed != 4711, "no luck"

    with pytest.raises(SimulationFailed) as caught:
        simulate(scenario, seed=4711)
    message = str(caught.value)
    assert "seed 4711: AssertionError: no luck" in message
    assert "VEGA_SEED=4711 python -m pytest tests/testing/test_testing_simulation.py::test_a_failure" in message
    assert "0.000000 before" in message
    assert caught.value.seed == 4711
    assert caught.value.trace == ["0.000000 before"]
    assert isinstance(caught.value.__cause__, AssertionError)


def test_a_deadlock_is_a_failure_that_says_who_waits_where() -> None:
    async def scenario(sim: Simulation) -> None:
        async def stuck(me: Process) -> None:
            with trio.CancelScope(shield=True):
                await trio.Event().wait()

        await sim.orch.spawn(stuck, name="stuck")

    with pytest.raises(SimulationFailed, match=r"(?s)deadlock.*task id1 waits at .*test_testing_simulation.py:\d+"):
        simulate(scenario, seed=0)


def test_waiting_for_what_never_comes_is_a_failure() -> None:
    async def scenario(sim: Simulation) -> None:
        await trio.sleep_forever()

    with pytest.raises(SimulationFailed, match="no task can ever run again"):
        simulate(scenario, seed=0)


def test_a_step_that_never_ends_is_a_failure_that_says_where() -> None:
    watch = Watch(1000)

    async def main() -> None:
        watch.watch_current_task()
        while True:
            pass

    with pytest.raises(Stuck), watch.timed(0.02):
        trio.run(main, instruments=[watch])
    assert watch.problem is not None
    assert watch.problem.startswith("one step took 0.02 s of CPU and did not end")
    assert "in main" in watch.problem


def test_the_scheduler_is_left_as_it_was() -> None:
    before = (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r.getstate())
    simulate(bad_day, seed=1)
    assert (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r.getstate()) == before


def test_a_cancelled_run_ends_in_order_and_says_so() -> None:
    stopped = []

    async def scenario(sim: Simulation) -> None:
        async def child(me: Process) -> None:
            try:
                await trio.sleep_forever()
            finally:
                stopped.append(me.name)

        specs = [ChildSpec(name, child, name=name) for name in "abc"]
        await sim.orch.supervise(SupervisorSpec(children=specs))
        for _ in range(100):
            await trio.sleep(1)

    assert simulate(scenario, seed=0, cancel_at=60)[-1].startswith("cancelled")
    assert stopped == ["c", "b", "a"]


def test_a_scenario_can_be_cancelled_at_every_step() -> None:
    async def scenario(sim: Simulation) -> None:
        async with sim.orch.spawn(echo) as proc:
            await proc.send("hello")
            await trio.sleep(1)

    runs = simulate_cancellation(scenario, seed=0)
    assert 10 < runs < 200
    assert simulate_cancellation(scenario, seed=0, stride=5) == -(-runs // 5)


def test_the_wall_clock_can_be_set_while_time_goes_on() -> None:
    async def scenario(sim: Simulation) -> None:
        before, at = sim.wall_clock(), trio.current_time()
        sim.wall_clock_offset -= 3600
        await trio.sleep(1)
        assert sim.wall_clock() == before - 3599
        assert trio.current_time() == at + 1

    simulate(scenario, seed=0)


def test_agents_run_on_the_model_that_is_given() -> None:
    async def shout(text: str) -> str:
        await trio.sleep(3)
        return text.upper()

    async def scenario(sim: Simulation) -> None:
        async with sim.orch.spawn(vega.Agent(name="a", tools=[shout])) as proc:
            assert (await proc.send("hello")).text == "done"

    def model() -> ScriptedModel:
        return ScriptedModel([ToolCall("c1", "shout", {"text": "hi"}), "done"])

    first = simulate(scenario, seed=5, model=model())
    assert any('"result":"HI"' in line for line in first)
    assert first == simulate(scenario, seed=5, model=model())
    with pytest.raises(SimulationFailed, match="model"):
        simulate(scenario, seed=5)


def test_faults_are_chances() -> None:
    with pytest.raises(ValueError, match=r"Faults\.crash must be a chance between 0 and 1, not 2"):
        Faults(crash=2)


def test_seeds_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VEGA_SEED", raising=False)
    monkeypatch.delenv("VEGA_SEEDS", raising=False)
    assert list(seeds(3)) == [0, 1, 2]
    monkeypatch.setenv("VEGA_SEEDS", "5")
    assert list(seeds(3)) == [0, 1, 2, 3, 4]
    monkeypatch.setenv("VEGA_SEED", "17")
    assert list(seeds(3)) == [17]
    monkeypatch.setenv("VEGA_SEED", "x")
    with pytest.raises(vega.ConfigError, match="VEGA_SEED must be a whole number, not 'x'"):
        seeds(3)
