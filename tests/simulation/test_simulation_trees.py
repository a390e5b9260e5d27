"""Random supervision trees under a nemesis, for many seeds.

`VEGA_SEEDS=2000` tries so many, `VEGA_SEED=17` only that one.
"""

from __future__ import annotations

import pytest
import trio
from sim_invariants import calm_supervisors_are_complete, verify
from sim_world import Place, World

import vega_trio as vega
from vega_trio import Supervision
from vega_trio.runtime import Process, Supervisor
from vega_trio.testing import Simulation, seeds, simulate


async def grow(world: World) -> list[Supervisor]:
    """Two trees and three processes with policies of their own."""
    roots = []
    for number in range(2):
        place = Place(f"root{number}", number, None)
        world.places[place.path] = place
        spec = world.supervisor_spec(place, depth=2)
        try:
            roots.append(await world.sim.orch.supervise(spec, name=place.path, fatal=False))
        except vega.FailedToStart:
            world.done["failed starts"] += 1
    for _ in range(3):
        policy = Supervision(max_restarts=world.rand.choice((0, 2, None)), window=5, backoff=world.backoff())
        body = world.worker(None, policy=policy)
        try:
            await world.sim.orch.spawn(body, supervision=policy)  # type: ignore[arg-type]
        except vega.FailedToStart:
            world.done["failed starts"] += 1
    return roots


def below(roots: list[Supervisor]) -> list[Supervisor]:
    found, queue = [], list(roots)
    while queue:
        supervisor = queue.pop()
        if supervisor.process.live is not None:
            found.append(supervisor)
            nested = (info.process for info in supervisor.which_children() if info.process is not None)
            queue += [process.supervisor for process in nested if process.supervisor is not None and process.live]
    return found


async def storm(sim: Simulation) -> None:
    world = World(sim)
    sim.afterwards.append(lambda: verify(world))
    await world.monitors.enter_async_context(sim.orch.subscribe(match=world.hear))
    roots = await grow(world)

    def targets() -> list[Process]:
        return [*world.targets(), *(each.process for each in below(roots))] if world.maybe(0.2) else world.targets()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.administer, lambda: below(roots))
        await sim.nemesis.storm(world.rand.uniform(5, 40), targets, every=2.0)
        nursery.cancel_scope.cancel()
    if world.maybe(0.5):
        world.calm = True
        await trio.sleep(300)
        calm_supervisors_are_complete(world, below(roots))
    if roots and world.maybe(0.5):
        await world.rand.choice(roots).stop()


@pytest.mark.parametrize("seed", seeds(100))
def test_no_storm_breaks_a_promise(seed: int) -> None:
    simulate(storm, seed=seed)


@pytest.mark.parametrize("seed", seeds(60))
def test_no_cancellation_breaks_a_promise(seed: int) -> None:
    simulate(storm, seed=seed, cancel_at=1 + (seed * 7919 + 104729) % 3000)
