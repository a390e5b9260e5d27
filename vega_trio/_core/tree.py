"""A supervisor's rules, without a supervisor: what an exit, a failed start or a call means for which child.

Rules.
1. Only the exit of a RUNNING child and the failed start of a restart are judged; every other exit was asked for.
2. A restart is a plan. A child is in at most one plan; it is down until that plan starts it. A newer plan takes
   over the children of those that it overlaps.
3. The intensity counts each plan once, when the exit or failed start that caused it happens.
4. While the children of the spec are first started, a restart waits for the rest of them, then takes its group.
5. Once `ending` is set every exit is final and nothing is decided any more.

Sources: supervisor.erl of OTP, restart/2, add_restart/3 and do_auto_shutdown/2. `now` is monotonic seconds.
"""

from __future__ import annotations

from enum import Enum, auto

import attrs

from vega_trio._core.backoff import restart_delay
from vega_trio._core.supervision import Attempts, Intensity, wants_restart
from vega_trio.agent import (
    AutoShutdown,
    BackoffConfig,
    ChildSpec,
    Restart,
    Strategy,
    Supervision,
    SupervisorSpec,
    SupervisorStrategy,
)
from vega_trio.exits import ExitReason


class Phase(Enum):
    """Where a child is. STOPPING: it leaves because its group restarts; TERMINATING: it leaves for good."""

    NEW = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()
    WAITING = auto()
    TERMINATING = auto()
    STOPPED = auto()


UP = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)
DONE = (Phase.TERMINATING, Phase.STOPPED)


@attrs.define(eq=False)
class Plan:
    """A restart under way. Those in `revives` are finished and get a new process.

    `number` counts restarts within the intensity's window, `attempt` those of the cause since it last stayed up.
    `starts_at` is when its delay is over, in monotonic seconds. `begun` once it starts children; it no longer `stands`
    when it is done, taken over or without a child to start.
    """

    cause: str
    strategy: SupervisorStrategy
    delay_s: float
    number: int
    attempt: int
    starts_at: float = 0.0
    revives: set[str] = attrs.field(factory=set)
    begun: bool = False
    stands: bool = True


@attrs.define(eq=False)
class OwnPolicy:
    """A child's own restarts, which the supervisor does not count."""

    intensity: Intensity
    attempts: Attempts
    backoff: BackoffConfig | None


@attrs.define(eq=False)
class Seat:
    """A child as the rules see it. `up_since` is when it last started."""

    id: str
    restart: Restart
    significant: bool
    backoff: BackoffConfig | None
    attempts: Attempts
    phase: Phase = Phase.NEW
    up_since: float = 0.0
    plan: Plan | None = None
    own: OwnPolicy | None = None

    @property
    def kept(self) -> bool:
        """Whether its spec stays when it is down for good, and may be started again."""
        return self.restart is not Restart.TEMPORARY


# -- what follows an exit


@attrs.frozen
class Absorbed:
    """A group restart asked for the exit; the child waits for it."""


@attrs.frozen
class Ended:
    """It is down for good."""


@attrs.frozen
class Restarts:
    """Those who are `leaving` do so first; then the plan waits for its delay."""

    plan: Plan


@attrs.frozen
class GivesUp:
    """The intensity is exceeded, after `restarts` restarts."""

    child_id: str
    restarts: int


@attrs.frozen
class Escalates:
    """The failure of the child goes up to the supervisor's own supervisor."""

    child_id: str


@attrs.frozen
class ShutsDown:
    """The last (or any) significant child has gone: the supervisor ends."""


Decision = Absorbed | Ended | Restarts | GivesUp | Escalates | ShutsDown


@attrs.define(eq=False)
class Tree:
    """One incarnation of a supervisor. `initializing` until all children of the spec have been started once."""

    spec: SupervisorSpec
    intensity: Intensity
    seats: dict[str, Seat] = attrs.field(factory=dict)
    initializing: bool = True
    ending: bool = False

    @classmethod
    def of(cls, spec: SupervisorSpec) -> Tree:
        return cls(spec, Intensity(spec.max_restarts, spec.window))

    # -- children

    def add(self, child: ChildSpec, policy: Supervision | None = None) -> None:
        """A new child, last in the order; with a `policy` of its own, that restarts it first."""
        backoff = child.backoff if child.backoff is not None else self.spec.backoff
        seat = Seat(child.id, child.restart, child.significant, backoff, Attempts(self.spec.window))
        if policy is not None:
            intensity = Intensity(policy.max_restarts, policy.window)
            seat.own = OwnPolicy(intensity, Attempts(policy.window), policy.backoff)
        self.seats[child.id] = seat

    def remove(self, child_id: str) -> None:
        del self.seats[child_id]

    def starting(self, child_id: str, plan: Plan | None = None) -> None:
        """A start begins, as part of `plan` or (None) because it was asked for."""
        seat = self.seats[child_id]
        if plan is None:
            self._leave_plan(seat)
        seat.phase = Phase.STARTING

    def started(self, child_id: str, now: float) -> None:
        """It is up. A group restart decided meanwhile still wants it to leave."""
        seat = self.seats[child_id]
        seat.up_since = now
        if seat.phase is Phase.STARTING:
            seat.phase = Phase.RUNNING
            seat.plan = None

    def terminate(self, child_id: str) -> None:
        """It is to be down for good; what was planned goes on without it."""
        seat = self.seats[child_id]
        if seat.phase is not Phase.STOPPED:
            self._leave_plan(seat)
            seat.phase = Phase.TERMINATING

    def down(self, child_id: str) -> None:
        """It is down for good. The spec of a temporary child goes with it."""
        seat = self.seats[child_id]
        if seat.plan is not None and seat.id not in seat.plan.revives:
            self._leave_plan(seat)
        seat.phase = Phase.STOPPED
        if not seat.kept:
            self._leave_plan(seat)
            self.remove(child_id)

    def end(self) -> None:
        """The supervisor ends: no plan stands."""
        self.ending = True
        for seat in self.seats.values():
            if seat.plan is not None:
                seat.plan.stands = False
                seat.plan = None

    # -- decisions

    def exited(
        self, child_id: str, reason: ExitReason, now: float, rand: float, answer: Strategy | None = None
    ) -> Decision:
        """The child's incarnation has ended. `answer` is what its `on_failure` says about it."""
        seat = self.seats[child_id]
        if not self.ending:
            match seat.phase:
                case Phase.RUNNING:
                    return self._self_exit(seat, reason, now, rand, answer)
                case Phase.STARTING:
                    return self.start_failed(child_id, now, rand)
                case Phase.STOPPING if seat.kept:
                    seat.phase = Phase.WAITING
                    return Absorbed()
        self.down(child_id)
        return Ended()

    def by_own_policy(self, child_id: str, now: float, rand: float) -> Restarts | None:
        """The restart that a running child's own policy makes of an exit; None when that gives up."""
        seat = self.seats[child_id]
        own = seat.own
        if own is None:
            return None
        attempt = own.attempts.next(now - seat.up_since)
        if not own.intensity.admit(now):
            return None
        wait = restart_delay(own.backoff, attempt, rand, failed_start=False, unlimited=False)
        number = own.intensity.used or attempt
        plan = Plan(seat.id, SupervisorStrategy.ONE_FOR_ONE, wait, number, attempt, now + wait)
        seat.phase = Phase.WAITING
        self._join(seat, plan)
        return Restarts(plan)

    def _self_exit(self, seat: Seat, reason: ExitReason, now: float, rand: float, answer: Strategy | None) -> Decision:
        if answer is Strategy.ESCALATE:
            self.down(seat.id)
            self.end()
            return Escalates(seat.id)
        if answer is Strategy.STOP or not wants_restart(seat.restart, reason):
            self.down(seat.id)
            if self._ends_with(seat):
                self.end()
                return ShutsDown()
            return Ended()
        strategy = SupervisorStrategy.ONE_FOR_ALL if answer is Strategy.RESTART_ALL else self.spec.strategy
        return self._restart(seat, strategy, now - seat.up_since, now, rand)

    def _ends_with(self, seat: Seat) -> bool:
        if not seat.significant or self.spec.auto_shutdown is AutoShutdown.NEVER:
            return False
        others = (other for other in self.seats.values() if other is not seat and other.significant)
        return self.spec.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT or all(other.phase in DONE for other in others)

    def start_failed(self, child_id: str, now: float, rand: float) -> Decision:
        """A start failed: within a restart that is one more attempt, else it is the starter's to report."""
        seat = self.seats[child_id]
        if self.ending or seat.plan is None:
            self.down(child_id)
            return Ended()
        return self._restart(seat, seat.plan.strategy, None, now, rand)

    def _restart(
        self, seat: Seat, strategy: SupervisorStrategy, up_for: float | None, now: float, rand: float
    ) -> Decision:
        """`up_for`: how long it had been up, in seconds; None when it did not come up."""
        attempt = seat.attempts.next(up_for)
        if not self.intensity.admit(now):
            self.down(seat.id)
            self.end()
            return GivesUp(seat.id, self.intensity.used - 1)
        unlimited = self.intensity.max_restarts is None
        wait = restart_delay(seat.backoff, attempt, rand, failed_start=up_for is None, unlimited=unlimited)
        plan = Plan(seat.id, strategy, wait, self.intensity.used or attempt, attempt, now + wait)
        seat.phase = Phase.WAITING
        self._join(seat, plan)
        if not self.initializing:
            self.regroup(plan)
        return Restarts(plan)

    def order_restart(self, child_id: str, now: float) -> Plan:
        """A restart that was asked for: by the strategy, at once and not counted. The group has to leave first.

        A child with a policy of its own restarts alone, as that is a supervisor of one child.
        """
        seat = self.seats[child_id]
        own = seat.own
        strategy = self.spec.strategy if own is None else SupervisorStrategy.ONE_FOR_ONE
        plan = Plan(seat.id, strategy, 0.0, (self.intensity if own is None else own.intensity).used, 0, now)
        self._join(seat, plan)
        self.regroup(plan)
        return plan

    def regroup(self, plan: Plan) -> None:
        """Takes the group into the plan. Whoever of it is up has to leave before anyone is started."""
        for seat in self._group(plan):
            if seat.phase in UP:
                seat.phase = Phase.STOPPING
            elif seat.phase in DONE:
                if not self.spec.revive:
                    continue
                plan.revives.add(seat.id)
            if seat.kept:
                self._join(seat, plan)

    def leaving(self) -> list[str]:
        """Who has to leave for a group's restart and has not yet, the last one first."""
        return [seat.id for seat in reversed(self.seats.values()) if seat.phase is Phase.STOPPING]

    def _group(self, plan: Plan) -> list[Seat]:
        return [self.seats[child_id] for child_id in self.group(plan.cause, plan.strategy)]

    def group(self, cause: str, strategy: SupervisorStrategy) -> list[str]:
        """Who restarts with `cause`, in order."""
        if strategy is SupervisorStrategy.ONE_FOR_ONE:
            return [cause]
        ids = list(self.seats)
        return ids if strategy is SupervisorStrategy.ONE_FOR_ALL else ids[ids.index(cause) :]

    def _join(self, seat: Seat, plan: Plan) -> None:
        old = seat.plan
        seat.plan = plan
        if old is not None and old is not plan:
            old.stands = False
            for other in self.seats.values():
                if other.plan is old:
                    other.plan = plan
            plan.revives |= old.revives

    def _leave_plan(self, seat: Seat) -> None:
        plan, seat.plan = seat.plan, None
        if plan is not None and not plan.begun:
            plan.stands = any(other.plan is plan and other.phase not in DONE for other in self.seats.values())

    # -- carrying a plan out

    def begin(self, plan: Plan) -> list[str]:
        """Whom the plan may have to start, in order."""
        plan.begun = True
        return [plan.cause] if plan.strategy is SupervisorStrategy.ONE_FOR_ONE else list(self.seats)

    def due(self, child_id: str, plan: Plan) -> bool:
        """Whether the plan still has to start this one."""
        seat = self.seats.get(child_id)
        if seat is None or seat.plan is not plan or not plan.stands:
            return False
        return seat.phase is Phase.WAITING or (seat.phase is Phase.STOPPED and child_id in plan.revives)

    def finish(self, plan: Plan) -> None:
        """Everybody the plan had to start has been."""
        if not plan.stands:
            return
        plan.stands = False
        for child_id in plan.revives:
            seat = self.seats.get(child_id)
            if seat is not None and seat.plan is plan:
                seat.plan = None
