"""One incarnation of a supervisor at work: its children's nursery and the one loop that carries decisions out.

The decisions themselves are made in the step of each death, by the pure `Tree`; the loop stops and starts children
one after the other and serves calls, in the order in which they came. It never sleeps: delays are timers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs
import trio

from vega_trio._core.tree import Absorbed, Ended, Escalates, GivesUp, Phase, Plan, Restarts, ShutsDown, Tree
from vega_trio.agent import Agent, Strategy, SupervisorSpec, SupervisorStrategy
from vega_trio.errors import Escalated, FailedToStart, NoProcessError, SupervisorGaveUp
from vega_trio.events import EscalatedUp, GaveUp, ProcessRestarting
from vega_trio.exits import Crashed, ExitReason, Shutdown, describe, told
from vega_trio.runtime.birth import launch, new_process
from vega_trio.runtime.calls import Call
from vega_trio.runtime.keeper import FINAL, ORDERED, Restarting, Verdict
from vega_trio.runtime.place import Place
from vega_trio.runtime.reasons import exited

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.supervisor import Supervisor

Job = Callable[[], Awaitable[None]]


@attrs.define(eq=False)
class Crew:
    """`reason` is set when the supervisor is to end; `ordered` when its owner or `stop()` said so."""

    supervisor: Supervisor
    process: Process
    incarnation: Incarnation
    tree: Tree
    nursery: trio.Nursery = attrs.field(init=False)
    places: dict[str, Place] = attrs.field(factory=dict, init=False)
    reason: ExitReason | None = attrs.field(default=None, init=False)
    ordered: bool = attrs.field(default=False, init=False)
    _jobs: deque[Job] = attrs.field(factory=deque, init=False)
    _calls: dict[Call, None] = attrs.field(factory=dict, init=False)
    _idle: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _begun: Incarnation | None = attrs.field(default=None, init=False)

    # -- the loop

    async def run(self, spec: SupervisorSpec) -> ExitReason:
        """Starts the children, serves until the supervisor is to end, and stops them."""
        for child in spec.children:
            self.add(Place(self, child))
        failure = await self._start_all(spec)
        if failure is None:
            self.tree.initializing = False
            self.process.ready()
            await self._serve()
        else:
            self._finish(Shutdown(failure))
        await self._stop_all()
        assert self.reason is not None
        return self.reason

    async def _serve(self) -> None:
        while self.reason is None:
            if self._jobs:
                await self._jobs.popleft()()
            else:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        self._idle = trio.lowlevel.current_task()

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._idle = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def _wake(self) -> None:
        if self._idle is not None:
            trio.lowlevel.reschedule(self._idle)
            self._idle = None

    def _queue(self, job: Job) -> None:
        self._jobs.append(job)
        self._wake()

    def _finish(self, reason: ExitReason) -> None:
        """The supervisor ends with `reason`; the first one wins."""
        if self.reason is None:
            self.reason = reason
            self.tree.end()
            for call in self._calls:
                call.refuse()
            self._wake()
        if self._begun is not None and (self.ordered or not self.tree.initializing):
            self._begun.wake_starter()

    def order_stop(self, reason: ExitReason) -> None:
        """From the owner or `stop()`. A start under way is not waited for."""
        self.ordered = True
        self._finish(reason)

    async def call(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        """Has the loop do something. Cancelled before the loop came to it, nothing is done."""
        if self.reason is not None:
            raise NoProcessError(f"supervisor {self.process.id} is stopping")
        call = Call(self.process.id, operation)
        self._calls[call] = None
        self._queue(call.run)
        try:
            return await call.wait()
        finally:
            self._calls.pop(call, None)

    # -- decisions, in the step of a death

    def decide(self, place: Place, incarnation: Incarnation) -> Verdict:
        reason = incarnation.reason
        assert reason is not None
        if incarnation.ignored:
            self.tree.down(place.id)
            self.forget_unless_kept(place)
            return FINAL
        if incarnation.fatal:
            self.tree.terminate(place.id)
        answer: Strategy | None = None
        if place.seat.phase is Phase.RUNNING and reason.abnormal and not self.tree.ending:
            if place.has_inner_policy:
                answer = place.policy_says(reason)
                if answer in (Strategy.RESTART, Strategy.RESTART_ALL):
                    verdict = self._inner_verdict(place, reason)
                    if verdict is not None:
                        return verdict
            if answer is not Strategy.ESCALATE:
                answer = place.answer(reason)
        decision = self.tree.exited(place.id, reason, trio.current_time(), self.process.kernel.rand(), answer)
        return self._verdict(place, reason, decision)

    def _inner_verdict(self, place: Place, reason: ExitReason) -> Verdict | None:
        assert place.policy is not None
        assert place.process is not None
        decision = self.tree.by_own_policy(place.id, trio.current_time(), self.process.kernel.rand())
        if decision is None:
            restarts = place.policy.max_restarts or 0
            place.process.emit(GaveUp(supervisor_id=place.process.id, child_id=place.id, restarts=restarts))
            place.tell_hook("on_give_up", reason)
            return None
        return self._restart(place, decision.plan, place.policy.max_restarts)

    def _restart(self, place: Place, plan: Plan, most: int | None) -> Verdict:
        restarting = Restarting(plan.number, most, plan.delay_s)
        return Verdict(final=False, restart=restarting, then=lambda: self._set_going(place, plan))

    def _verdict(self, place: Place, reason: ExitReason, decision: Any) -> Verdict:
        match decision:
            case Absorbed():
                return Verdict(final=False)
            case Restarts(plan=plan):
                return self._restart(place, plan, self.tree.intensity.max_restarts)
        self.forget_unless_kept(place)
        if isinstance(decision, Ended):
            return FINAL
        return Verdict(final=True, then=lambda: self._end_with(place, reason, decision))

    def _set_going(self, place: Place, plan: Plan) -> None:
        place.tell_hook("on_restart", plan.attempt)
        if plan.strategy is not SupervisorStrategy.ONE_FOR_ONE:
            self._queue(lambda: self._clear(plan))
        if plan.delay_s > 0:
            self.process.kernel.timers.after(plan.delay_s, lambda: self._retry(plan))
        else:
            self._queue(lambda: self._carry_out(plan))

    def _retry(self, plan: Plan) -> None:
        if plan.stands and self.reason is None:
            self._queue(lambda: self._carry_out(plan))

    def _end_with(self, place: Place, reason: ExitReason, decision: Any) -> None:
        process = self.process
        match decision:
            case GivesUp(child_id=child_id, restarts=restarts):
                process.emit(GaveUp(supervisor_id=process.id, child_id=child_id, restarts=restarts))
                error = SupervisorGaveUp(process.id, child_id, restarts)
                error.__cause__ = reason.error if isinstance(reason, Crashed) else None
                place.tell_hook("on_give_up", reason)
                self._finish(Shutdown(error))
            case Escalates(child_id=child_id):
                assert place.process is not None
                cause = reason.error if isinstance(reason, Crashed) else exited(place.process.id, reason)
                process.emit(EscalatedUp(supervisor_id=process.id, child_id=child_id, error=told(cause)))
                self._finish(Crashed(Escalated(child_id, cause)))
            case ShutsDown():
                self._finish(Shutdown())

    def forget_unless_kept(self, place: Place) -> None:
        """A child is down for good."""
        if self.supervisor.transitory:
            self.tree.seats.pop(place.id, None)
        if place.id not in self.tree.seats:
            self.places.pop(place.id, None)
        if self.supervisor.transitory and not self.places:
            self._finish(Shutdown())

    # -- a restart that was asked for

    def order_restart(self, place: Place) -> None:
        """Has the loop do it; nothing comes of it when the child has left until then."""
        self._queue(lambda: self._restart_as_ordered(place))

    async def _restart_as_ordered(self, place: Place) -> None:
        if self.places.get(place.id) is not place or place.process is None or place.process.final is not None:
            return
        plan = self.tree.order_restart(place.id, trio.current_time())
        own = place.seat.own
        most = (self.tree if own is None else own).intensity.max_restarts
        fields = Restarting(plan.number, most, 0.0).fields()
        place.process.say(ProcessRestarting, place.process.current, **fields, reason=describe(Shutdown(ORDERED)))
        await self._stop(self.tree.leaving())
        await self._carry_out(plan)

    # -- starting

    def add(self, place: Place) -> None:
        """A new child, last in the order; not started yet."""
        body = place.spec.body
        if place.policy is None and isinstance(body, Agent) and body.supervision is not None:
            place.policy = body.supervision
            place.has_inner_policy = True
        self.places[place.id] = place
        self.tree.add(place.spec, place.policy if place.has_inner_policy else None)

    async def _start_all(self, spec: SupervisorSpec) -> FailedToStart | None:
        for child in spec.children:
            if self.ordered:
                return None
            place = self.places[child.id]
            self.tree.starting(child.id)
            failure = await self.start(place)
            if failure is not None and not self.ordered:
                return failure
        return None

    async def start(self, place: Place) -> FailedToStart | None:
        """A first start: of the spec's children, or because a call asks for it. Ignored is started."""
        try:
            process = self._make(place)
        except Exception as error:  # noqa: BLE001 - what `make_body` raises is the child's failure, not ours
            self.tree.down(place.id)
            self.forget_unless_kept(place)
            return FailedToStart(place.id, Crashed(error))
        incarnation = launch(process)
        if place.spawner is not None:
            place.spawner.on_launch(process)
        if await self._await_start(incarnation) or incarnation.ignored:
            return None
        return FailedToStart(place.id, incarnation.reason or Shutdown())

    def _make(self, place: Place) -> Process:
        spec = place.spec
        kernel = self.process.kernel
        fields = {"name": spec.name, "start_timeout": spec.start_timeout, **place.fields}
        if isinstance(spec.body, SupervisorSpec):
            process = self.supervisor.nested(spec.body, self.nursery, fields)
        else:
            process = new_process(kernel, spec.body, nursery=self.nursery, **fields)
        process.keeper = place
        kernel.registry.add(process)
        place.process = process
        return process

    async def _await_start(self, incarnation: Incarnation) -> bool:
        """Waits for the start; no longer than the supervisor wants it."""
        self._begun = incarnation
        try:
            return await incarnation.wait_started()
        finally:
            self._begun = None

    async def _carry_out(self, plan: Plan) -> None:
        """Starts the group, in order. A start that fails has made a new plan, in the step of that death."""
        if not plan.stands:
            return
        for child_id in self.tree.begin(plan):
            if self.tree.due(child_id, plan):
                await self._start_again(self.places[child_id], plan)
        self.tree.finish(plan)

    async def _start_again(self, place: Place, plan: Plan) -> None:
        revived = place.process is None or place.process.final is not None
        self.tree.starting(place.id, plan)
        place.restarts += 1
        if revived:
            try:
                self._make(place)
            except Exception as error:  # noqa: BLE001 - as above
                self._could_not_make(place, Crashed(error))
                # The next try is a job already: the rest of the program has its turn in between.
                await trio.lowlevel.cancel_shielded_checkpoint()
                return
        assert place.process is not None
        place.process.restarts += not revived
        await self._await_start(launch(place.process))

    def _could_not_make(self, place: Place, reason: ExitReason) -> None:
        decision = self.tree.start_failed(place.id, trio.current_time(), self.process.kernel.rand())
        verdict = self._verdict(place, reason, decision)
        if verdict.restart is not None and place.process is not None:
            place.process.say(ProcessRestarting, None, **verdict.restart.fields(), reason=describe(reason))
        if verdict.then is not None:
            verdict.then()

    # -- stopping

    async def _clear(self, plan: Plan) -> None:
        """The rest of the group leaves before the plan starts it."""
        if not plan.stands:
            return
        self.tree.regroup(plan)
        await self._stop(self.tree.leaving())

    async def _stop(self, child_ids: Iterable[str]) -> None:
        """One by one, in this order; those of a dynamic supervisor together."""
        together = self.tree.spec.dynamic
        places = [self.places[child_id] for child_id in child_ids]
        for place in places:
            self._ask_to_leave(place)
            if not together:
                await self._await_end(place)
        if together:
            for place in places:
                await self._await_end(place)

    def _ask_to_leave(self, place: Place) -> None:
        if place.process is not None and place.process.live is not None:
            place.process.live.ask_to_leave(Shutdown(), place.shutdown, self.incarnation)

    async def _await_end(self, place: Place) -> None:
        if place.process is not None and place.process.live is not None:
            await place.process.live.gone().wait()

    async def _stop_all(self) -> None:
        if self.tree.spec.dynamic:
            await self._stop(reversed(self.places))
        for place in reversed(list(self.places.values())):
            self._ask_to_leave(place)
            await self._await_end(place)
            self._write_off(place)

    def _write_off(self, place: Place) -> None:
        if place.id in self.places and place.seat.phase is not Phase.STOPPED:
            place.settle()

    def kill_all(self) -> None:
        """The supervisor was killed: its whole subtree is."""
        self._finish(Shutdown())
        for place in list(self.places.values()):
            if place.process is not None and place.process.live is not None:
                place.process.kill()

    def close(self) -> None:
        """The nursery is empty: those that waited for a restart have ended for good."""
        self._finish(Shutdown())
        for place in list(self.places.values()):
            self._write_off(place)
        for call in self._calls:
            call.give_up()
