"""What ending or restarting a process would do to others: the rules of links, owners and strategies, played ahead.

    the target       dies, or restarts with those that its supervisor's strategy restarts with it
    links            a peer that traps exits is told; any other dies of the reason, and then its own keeper decides
    monitors         who watches is told
    owned            what a process spawned for itself ends with its incarnation, a supervisor's children with it

Hooks are not asked, as they may act on it: a policy counts as it is written. Supervisors are not among the answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import attrs
import trio

from vega_trio._core.links import Reaction, reaction
from vega_trio._core.supervision import RESTART_TYPE, wants_restart
from vega_trio.agent import Strategy, SupervisorStrategy
from vega_trio.exits import ExitReason, Killed, Shutdown
from vega_trio.runtime.keeper import ORDERED
from vega_trio.runtime.place import Place
from vega_trio.runtime.solo import Solo

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.process import Process

Fate = Literal["dies", "restarts"]


@attrs.frozen
class Impact:
    """Ids of processes. `notified` are those that are told and live on."""

    dies: tuple[str, ...]
    restarts: tuple[str, ...]
    notified: tuple[str, ...]


def impact_of_kill(targets: Iterable[Process]) -> Impact:
    """What `kill` of all these would do, themselves included."""
    forecast = _Forecast()
    for target in targets:
        forecast.leaves(target, Killed(), "dies")
    return forecast.played()


def impact_of_restart(target: Process) -> Impact:
    """What a restart that is asked for would do, itself included; nothing when nobody would start it again."""
    forecast = _Forecast()
    match target.keeper:
        case Place() as place if place.seat.kept:
            strategy = place.crew.tree.spec.strategy if place.seat.own is None else SupervisorStrategy.ONE_FOR_ONE
            forecast.group_restarts(place, strategy, Shutdown(ORDERED))
        case Solo(policy=policy) if policy is not None:
            forecast.leaves(target, Shutdown(ORDERED), "restarts")
    return forecast.played()


@attrs.define(eq=False)
class _Forecast:
    """The first fate of a process is its fate, as the first reason is."""

    _fates: dict[Process, Fate] = attrs.field(factory=dict)
    _told: dict[Process, None] = attrs.field(factory=dict)
    _leaving: deque[tuple[Process, ExitReason]] = attrs.field(factory=deque)

    def leaves(self, process: Process, reason: ExitReason, fate: Fate) -> None:
        if process.final is None and process not in self._fates:
            self._fates[process] = fate
            self._leaving.append((process, reason))

    def group_restarts(self, cause: Place, strategy: SupervisorStrategy, reason: ExitReason) -> None:
        for child_id in cause.crew.tree.group(cause.id, strategy):
            place = cause.crew.places[child_id]
            if place.process is not None:
                mine = reason if place is cause else Shutdown()
                self.leaves(place.process, mine, "restarts" if place.seat.kept else "dies")

    def played(self) -> Impact:
        while self._leaving:
            self._spread(*self._leaving.popleft())
        told = (each.id for each in self._told if each not in self._fates)
        return Impact(self._ids("dies"), self._ids("restarts"), tuple(told))

    def _ids(self, fate: Fate) -> tuple[str, ...]:
        return tuple(each.id for each, its in self._fates.items() if its == fate and each.supervisor is None)

    def _spread(self, process: Process, reason: ExitReason) -> None:
        """Who hears of the end of this incarnation."""
        for place in process.supervisor.places if process.supervisor is not None else ():
            if place.process is not None:
                self.leaves(place.process, Shutdown(), "dies")
        live = process.live
        if live is None:
            return
        for peer in process.kernel.links.of(live):
            self._signalled(peer, reason)
        for monitor in live.monitors or ():
            if monitor.watcher is not None:
                self._told[monitor.watcher] = None
        for child in live.owned or ():
            self.leaves(child, Shutdown(), "dies")

    def _signalled(self, peer: Incarnation, reason: ExitReason) -> None:
        process = peer.process
        match reaction(reason, trapping=peer.trapping, linked=True):
            case Reaction.MESSAGE:
                self._told[process] = None
            case Reaction.DIE if process.supervisor is None and process not in self._fates:
                self._judged(process, reason)

    def _judged(self, process: Process, reason: ExitReason) -> None:
        match process.keeper:
            case Solo(policy=policy) as keeper if policy is not None:
                wanted = wants_restart(RESTART_TYPE[policy.strategy], reason)
                stays = wanted and policy.strategy is not Strategy.ESCALATE and keeper.has_room(trio.current_time())
                self.leaves(process, reason, "restarts" if stays else "dies")
            case Place() as place:
                self._judged_by_supervisor(place, process, reason)
            case _:
                self.leaves(process, reason, "dies")

    def _judged_by_supervisor(self, place: Place, process: Process, reason: ExitReason) -> None:
        now, tree = trio.current_time(), place.crew.tree
        own = place.seat.own
        if own is not None and reason.abnormal and own.intensity.has_room(now):
            self.leaves(process, reason, "restarts")
        elif not wants_restart(place.spec.restart, reason):
            self.leaves(process, reason, "dies")
        elif tree.intensity.has_room(now):
            self.group_restarts(place, tree.spec.strategy, reason)
        else:  # the supervisor gives up
            self.leaves(process, reason, "dies")
            for sibling in place.crew.places.values():
                if sibling.process is not None:
                    self.leaves(sibling.process, Shutdown(), "dies")
