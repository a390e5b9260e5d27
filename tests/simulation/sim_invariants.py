"""What must hold of every run of a `World`, however wild: the promises of the kernel, checked one by one."""

from __future__ import annotations

from collections import Counter, defaultdict

import trio
from sim_world import Life, Place, World

import vega_trio as vega
from vega_trio import Crashed, Killed, Normal, Shutdown, SupervisorStrategy
from vega_trio.exits import ExitReason
from vega_trio.runtime import Supervisor
from vega_trio.runtime.reasons import kind_of

REMEMBERED = 1000  # finished processes the orchestrator can still be asked for


async def verify(world: World) -> None:
    """Once the orchestrator has closed."""
    everybody_has_ended(world)
    each_monitor_had_one_down(world)
    each_reason_fits_how_the_body_ended(world)
    each_process_ended_once_for_good(world)
    no_exit_signal_was_lost_or_made_up(world)
    the_owned_ended_with_their_owners(world)
    siblings_stopped_in_reverse_order(world)
    groups_started_in_order(world)
    intensity_was_exact(world)
    await world.monitors.aclose()


def everybody_has_ended(world: World) -> None:
    assert not world.living
    assert world.sim.orch.processes() == []
    assert world.sim.orch.supervisors() == []
    for life in world.lives.values():
        assert life.ended is not None
        assert life.process.name is None or world.sim.orch.whereis(life.process.name) is None


def each_monitor_had_one_down(world: World) -> None:
    for life in world.lives.values():
        assert life.downs is not None
        life.down = life.downs.receive_nowait()
        assert (life.down.process_id, life.down.incarnation) == life.key
        try:
            life.downs.receive_nowait()
        except trio.EndOfChannel:
            continue
        raise AssertionError(f"a second Down about {life.key}, or a queue that does not end")


def reason_of(life: Life) -> ExitReason:
    assert life.down is not None
    return life.down.reason


def each_reason_fits_how_the_body_ended(world: World) -> None:
    for life in world.lives.values():
        reason = reason_of(life)
        if isinstance(reason, Killed):
            continue
        match life.how:
            case "returned":
                assert isinstance(reason, Normal), f"{life.key} returned and ended with {reason}"
            case "cancelled":
                assert isinstance(reason, Shutdown | Crashed), f"{life.key} was stopped and ended with {reason}"
            case _:
                assert isinstance(reason, Shutdown | Crashed), f"{life.key} raised {life.error!r}, ended with {reason}"


def each_process_ended_once_for_good(world: World) -> None:
    finals = Counter(
        event.process_id
        for _, event, _ in world.heard
        if isinstance(event, vega.ProcessCompleted) or (isinstance(event, vega.ProcessFailed) and event.final)
    )
    last = {life.process.id: life for life in world.lives.values()}
    for process_id, life in last.items():
        assert finals[process_id] == 1, f"{process_id} has {finals[process_id]} final exits"
        between_two = kind_of(life.process.reason) == "timeout"  # the deadline may pass while a restart waits
        assert between_two or life.process.reason == reason_of(life), f"{life.process.reason}, {reason_of(life)}"
        assert life.process.incarnation == life.number


def no_exit_signal_was_lost_or_made_up(world: World) -> None:
    """Each end of a link that was alive when the other ended has been told, once."""
    expected: Counter[tuple[tuple[str, int], tuple[str, int]]] = Counter()
    for life, trapping, peer_key in world.peers_to_tell:
        peer, reason = world.lives[peer_key], reason_of(life)
        if trapping:
            expected[peer_key, life.key] += 1
        elif not isinstance(reason, Normal):
            dies_of_it(life, peer)
    got = Counter(
        (life.key, (str(signal.process_id), signal.incarnation))
        for life in world.lives.values()
        for signal in life.signals
        if signal.linked and not isinstance(signal.reason, vega.NoProcess)
    )
    assert got == expected, f"lost: {expected - got}; made up: {got - expected}"
    for life in world.lives.values():
        for signal in life.signals:
            peer = world.lives.get((str(signal.process_id), signal.incarnation))
            if signal.linked and peer is not None and not isinstance(signal.reason, vega.NoProcess):
                assert signal.reason == reason_of(peer), "a reason changed on its way along a link"


def dies_of_it(life: Life, peer: Life) -> None:
    """`peer` did not trap, so it has to go; of this reason unless it was ending already."""
    assert life.ended is not None
    assert peer.ended is not None
    assert peer.ended > life.ended
    peer.causes.append(reason_of(life))
    was_running = peer.asked is None or peer.asked > life.ended
    if peer.how == "cancelled" and was_running:
        others = (Killed(), Shutdown(), *peer.causes)
        reason = reason_of(peer)
        assert reason in others or isinstance(reason, Shutdown | Crashed), f"{peer.key} ended with {reason}"


def the_owned_ended_with_their_owners(world: World) -> None:
    """A restart that was under way in the tick of the owner's end may still have begun, to be stopped at once."""
    for life in world.lives.values():
        if life.owner is not None:
            assert life.owner.ended_at is not None
            assert life.up_at <= life.owner.ended_at, f"{life.key} began after its owner {life.owner.key} had ended"


def later_siblings(place: Place) -> list[Place]:
    assert place.above is not None
    return place.above.children[place.index + 1 :]


def leaves(place: Place) -> list[Place]:
    return [place] if not place.children else [leaf for child in place.children for leaf in leaves(child)]


def siblings_stopped_in_reverse_order(world: World) -> None:
    """Whoever a supervisor asked to leave had no later sibling that was still there.

    A link can bring the same reason as the supervisor; those that it may have come to are left out.
    """
    for place in world.places.values():
        if place.above is None or place.administered:
            continue
        later = [life for sibling in later_siblings(place) for leaf in leaves(sibling) for life in leaf.lives]
        for life in place.lives:
            ordered = reason_of(life) == Shutdown() and Shutdown() not in life.causes
            if life.how == "cancelled" and ordered and life.asked is not None:
                world.done["ordered stops"] += 1
                still = [other.key for other in later if other.alive_at(life.asked)]
                assert not still, f"{place.path} {life.key} had to leave before its later siblings {still}"


def groups_started_in_order(world: World) -> None:
    """Nobody is started by its supervisor while a later sibling is up, but by a restart of it alone.

    Those that an operator may have started out of turn are left out.
    """
    for place in world.places.values():
        if place.above is None or place.administered:
            continue
        assert place.above.supervises is not None
        alone = place.above.supervises.strategy is SupervisorStrategy.ONE_FOR_ONE
        later = [
            life
            for sibling in later_siblings(place)
            if not sibling.administered
            for leaf in leaves(sibling)
            for life in leaf.lives
        ]
        for life in place.lives:
            if life.number > 1 and alone:
                continue
            still = [other.key for other in later if other.alive_at(life.up)]
            assert not still, f"{place.path} {life.key} was started while its later siblings {still} were up"


def intensity_was_exact(world: World) -> None:
    """OTP's formula, written out once more, over the restarts that were announced."""
    logs: dict[object, list[float]] = defaultdict(list)
    gave_up: set[object] = set()
    for now, event, supervisor in world.heard:
        match event:
            case vega.ProcessRestarting():
                key, most, window = of_supervisor(world, event, supervisor)
                log = logs[key] = [at for at in logs[key] if at >= now - window] + [now]
                if event.process_id in world.together:
                    # Those who restart together count anew once the last of them has gone: then this log is too long.
                    assert event.attempt <= len(log)
                    assert most is None or event.attempt <= most
                    continue
                assert key not in gave_up, f"{key} restarts {event.process_id} though it gave up"
                assert most is None or len(log) <= most, f"{key} restarts {len(log)} times, {most} are allowed"
                assert most is None or event.attempt == len(log)
            case vega.GaveUp():
                key, most, window = of_who_gave_up(world, event)
                log = [at for at in logs[key] if at >= now - window] + [now]
                assert most is not None
                assert len(log) > most, f"{key} gave up at restart {len(log)}, {most} are allowed"
                assert event.restarts == most
                gave_up.add(key)
                world.done["gave up"] += 1


def of_who_gave_up(world: World, event: vega.GaveUp) -> tuple[object, int | None, float]:
    if event.child_id in world.together:
        return world.together[event.child_id], *world.policies[event.child_id]
    solo = event.supervisor_id == event.child_id
    return event.process_id if solo else (event.supervisor_id, event.incarnation), *limits(world, event)


def of_supervisor(
    world: World, event: vega.Event, supervisor: tuple[str, int] | None
) -> tuple[object, int | None, float]:
    place = world.place_of.get(event.process_id or "") or world.named_place(event.process_id)
    if place is None:
        return world.together.get(event.process_id or "", event.process_id), *limits(world, event)
    assert supervisor is not None, f"{place.path} is restarted by nobody"
    assert place.above is not None
    assert place.above.supervises is not None
    return supervisor, place.above.supervises.max_restarts, place.above.supervises.window


def limits(world: World, event: vega.Event) -> tuple[int | None, float]:
    """Of a supervisor that says something, or of a spawned process's own policy."""
    place = world.named_place(event.process_id)
    if place is None or place.supervises is None:
        return world.policies[event.process_id or ""]
    return place.supervises.max_restarts, place.supervises.window


def calm_supervisors_are_complete(world: World, supervisors: list[Supervisor]) -> None:
    """When nothing has happened for a while, every child is where its spec wants it."""
    for supervisor in supervisors:
        if supervisor.process.live is None:
            continue
        infos = supervisor.which_children()
        counts = supervisor.count_children()
        assert counts.specs == len(infos)
        assert counts.active == sum(info.state == "running" for info in infos)
        for info in infos:
            place = world.places[info.id]
            assert place.spec is not None
            assert info.state != "restarting", f"{info.id} waits for a restart that does not come"
            if info.state == "running":
                assert info.process is not None
                assert info.process.live is not None
            elif place.spec.restart == "permanent" and place.spec.on_failure is None:
                assert place.administered, f"the permanent child {info.id} is {info.state}"
            if info.kind == "worker" and info.process is not None:
                assert world.living[info.process.id].place is place
