"""A supervisor's rules, driven without a supervisor, against a plain model of what OTP does."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.tree import Absorbed, Ended, Escalates, GivesUp, Phase, Restarts, ShutsDown, Tree
from vega_trio.agent import BackoffConfig, ChildSpec, Strategy, Supervision, SupervisorSpec
from vega_trio.exits import Crashed, Normal, Shutdown

BOOM = Crashed(ValueError())


async def nothing(me: object) -> None:
    """Never run here."""


def tree(children: str, strategy: str = "one_for_one", **options: object) -> Tree:
    """Children by name; `a` permanent, `a~` transient, `a-` temporary, `a!` transient and significant."""
    kinds = {"~": "transient", "-": "temporary", "!": "transient"}
    specs = [
        ChildSpec(word[0], nothing, restart=kinds.get(word[1:], "permanent"), significant=word[1:] == "!")  # type: ignore[arg-type]
        for word in children.split()
    ]
    out = Tree.of(SupervisorSpec(strategy, specs, **options))  # type: ignore[arg-type]
    for spec in specs:
        out.add(spec)
        start(out, spec.id)
    out.initializing = False
    return out


def start(of: Tree, child_id: str, now: float = 0.0) -> None:
    of.starting(child_id, of.seats[child_id].plan)
    of.started(child_id, now)


def carry_out(of: Tree, decision: Restarts, now: float = 0.0) -> list[str]:
    """Stops who has to leave and starts whom the plan names; returns who was started."""
    for child_id in of.leaving():
        assert of.exited(child_id, Shutdown(), now, 0.5) in (Absorbed(), Ended())
    started = []
    for child_id in of.begin(decision.plan):
        if of.due(child_id, decision.plan):
            start(of, child_id, now)
            started.append(child_id)
    of.finish(decision.plan)
    return started


def phases(of: Tree) -> str:
    return " ".join(f"{seat.id}:{seat.phase.name.lower()}" for seat in of.seats.values())


@pytest.mark.parametrize(
    ("strategy", "stops", "starts"),
    [
        ("one_for_one", [], ["b"]),
        ("one_for_all", ["d", "c", "a"], ["a", "b", "d"]),
        ("rest_for_one", ["d", "c"], ["b", "d"]),
    ],
)
def test_groups_stop_in_reverse_and_start_in_order_without_their_temporaries(
    strategy: str, stops: list[str], starts: list[str]
) -> None:
    of = tree("a b c- d", strategy)
    decision = of.exited("b", BOOM, 1, 0.5)
    assert isinstance(decision, Restarts)
    assert of.leaving() == stops
    assert carry_out(of, decision) == starts
    assert of.intensity.used == 1


@pytest.mark.parametrize("revive", [True, False])
def test_finished_and_terminated_children_are_revived_unless_told(revive: bool) -> None:
    of = tree("a~ b c d", "one_for_all", revive=revive)
    assert of.exited("a", Normal(), 1, 0.5) == Ended()
    of.terminate("b")
    assert of.exited("b", Shutdown(), 1, 0.5) == Ended()
    of.terminate("c")  # still leaving when the group restarts
    decision = of.exited("d", BOOM, 1, 0.5)
    assert isinstance(decision, Restarts)
    assert of.leaving() == []
    assert of.exited("c", Shutdown(), 1, 0.5) == Ended()
    assert carry_out(of, decision) == (["a", "b", "c", "d"] if revive else ["d"])


def test_siblings_that_crash_before_they_are_stopped_are_absorbed() -> None:
    of = tree("a b c", "one_for_all", max_restarts=1)
    decision = of.exited("b", BOOM, 1, 0.5)
    assert isinstance(decision, Restarts)
    assert of.exited("a", BOOM, 1, 0.5) == Absorbed()
    assert of.exited("c", BOOM, 1, 0.5) == Absorbed()
    assert of.intensity.used == 1
    assert carry_out(of, decision) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("strategy", "stops", "starts"),
    [
        ("one_for_one", [], ["b"]),
        ("rest_for_one", [], ["b", "c"]),
        ("one_for_all", ["a"], ["a", "b", "c"]),
    ],
)
def test_a_failed_restart_is_one_more_attempt(strategy: str, stops: list[str], starts: list[str]) -> None:
    of = tree("a b c", strategy)
    first = of.exited("b", BOOM, 1, 0.5)
    assert isinstance(first, Restarts)
    for child_id in of.leaving():
        of.exited(child_id, Shutdown(), 1, 0.5)
    for child_id in of.begin(first.plan):
        if of.due(child_id, first.plan):
            of.starting(child_id, first.plan)
            if child_id == "b":
                second = of.exited("b", BOOM, 2, 0.5)
                break
            of.started(child_id, 1)
    assert isinstance(second, Restarts)
    assert not first.plan.stands
    assert of.leaving() == stops
    assert (second.plan.number, second.plan.attempt) == (2, 2)
    assert carry_out(of, second) == starts


def test_terminating_the_last_child_that_waits_cancels_the_plan() -> None:
    of = tree("a b", "one_for_all")
    decision = of.exited("a", BOOM, 1, 0.5)
    assert isinstance(decision, Restarts)
    of.exited("b", Shutdown(), 1, 0.5)
    of.terminate("a")
    of.down("a")
    assert decision.plan.stands
    of.terminate("b")
    of.down("b")
    assert not decision.plan.stands
    assert phases(of) == "a:stopped b:stopped"


def test_a_newer_plan_takes_over_the_children_of_the_one_it_overlaps() -> None:
    of = tree("a b c", "rest_for_one", max_restarts=9)
    older = of.exited("b", BOOM, 1, 0.5)
    assert isinstance(older, Restarts)
    of.exited("c", Shutdown(), 1, 0.5)
    newer = of.exited("a", BOOM, 1, 0.5)
    assert isinstance(newer, Restarts)
    assert not older.plan.stands
    assert not any(of.due(child_id, older.plan) for child_id in of.begin(older.plan))
    assert carry_out(of, newer) == ["a", "b", "c"]


def test_while_starting_a_restart_waits_for_the_others() -> None:
    spec = SupervisorSpec("one_for_all", [ChildSpec(name, nothing) for name in "abc"])  # type: ignore[arg-type]
    of = Tree.of(spec)
    for child in spec.children:
        of.add(child)
    start(of, "a")
    decision = of.exited("a", BOOM, 0, 0.5)
    assert isinstance(decision, Restarts)
    assert of.leaving() == []
    start(of, "b")
    start(of, "c")
    of.initializing = False
    of.regroup(decision.plan)
    assert of.leaving() == ["c", "b"]
    assert carry_out(of, decision) == ["a", "b", "c"]


def test_auto_shutdown_asks_for_self_exits_that_are_not_restarted() -> None:
    of = tree("a! b! c", auto_shutdown="all_significant")
    of.terminate("a")
    assert of.exited("a", Shutdown(), 1, 0.5) == Ended()
    assert isinstance(of.exited("b", BOOM, 1, 0.5), Restarts)
    start(of, "b")
    assert of.exited("b", Normal(), 1, 0.5) == ShutsDown()
    assert of.exited("c", BOOM, 1, 0.5) == Ended()


def test_escalation_and_giving_up_end_every_decision() -> None:
    of = tree("a b")
    assert of.exited("a", BOOM, 1, 0.5, Strategy.ESCALATE) == Escalates("a")
    assert of.exited("b", BOOM, 1, 0.5) == Ended()
    of = tree("a b", max_restarts=0)
    assert of.exited("a", BOOM, 1, 0.5) == GivesUp("a", 0)
    assert of.exited("b", BOOM, 1, 0.5) == Ended()


def test_restart_all_is_one_for_all_once() -> None:
    of = tree("a b")
    decision = of.exited("b", BOOM, 1, 0.5, Strategy.RESTART_ALL)
    assert isinstance(decision, Restarts)
    assert of.leaving() == ["a"]
    assert carry_out(of, decision) == ["a", "b"]


def test_a_childs_own_policy_is_not_counted() -> None:
    of = tree("a", max_restarts=0)
    of.remove("a")
    of.add(ChildSpec("a", nothing), Supervision(max_restarts=1, window=10, backoff=BackoffConfig(initial=3)))
    start(of, "a")
    decision = of.by_own_policy("a", 1, 0.5)
    assert decision is not None
    assert (decision.plan.delay_s, decision.plan.number) == (3, 1)
    assert carry_out(of, decision) == ["a"]
    assert of.by_own_policy("a", 2, 0.5) is None
    assert of.exited("a", BOOM, 2, 0.5) == GivesUp("a", 0)


@attrs.define
class Otp:
    """What supervisor.erl does, with restarts carried out at once and no failing start."""

    strategy: str
    max_restarts: int
    kinds: dict[str, str]
    up: dict[str, bool] = attrs.field(init=False)
    restarts: list[int] = attrs.field(factory=list)
    ended: bool = False

    def __attrs_post_init__(self) -> None:
        self.up = dict.fromkeys(self.kinds, True)

    def crash(self, name: str, now: int, *, abnormal: bool) -> None:
        kind = self.kinds[name]
        if kind == "-":
            del self.up[name]
            return
        if kind == "~" and not abnormal:
            self.up[name] = False
            return
        self.restarts = [at for at in self.restarts if at >= now - 5] + [now]
        if len(self.restarts) > self.max_restarts:
            self.ended = True
            return
        order = list(self.up)
        first = {"one_for_one": None, "one_for_all": 0, "rest_for_one": order.index(name)}[self.strategy]
        for other in [name] if first is None else order[first:]:
            if self.kinds[other] == "-":
                del self.up[other]
            else:
                self.up[other] = True


@settings(max_examples=150)
@given(
    st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
    st.integers(0, 4),
    st.lists(st.sampled_from(["", "~", "-"]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 4)), max_size=20),
)
def test_it_agrees_with_a_plain_model_of_otp(
    strategy: str, max_restarts: int, kinds: list[str], deaths: list[tuple[int, bool, int]]
) -> None:
    names = dict(zip("abcde", kinds, strict=False))
    of = tree(" ".join(f"{name}{kind}" for name, kind in names.items()), strategy, max_restarts=max_restarts)
    model, now = Otp(strategy, max_restarts, names), 0
    for index, abnormal, gap in deaths:
        now += gap
        living = [name for name, up in model.up.items() if up]
        if not living:
            break
        name = living[index % len(living)]
        model.crash(name, now, abnormal=abnormal)
        decision = of.exited(name, BOOM if abnormal else Normal(), now, 0.5)
        if isinstance(decision, Restarts):
            carry_out(of, decision, now)
        assert isinstance(decision, GivesUp) is model.ended
        if model.ended:
            return
        assert {seat.id: seat.phase is Phase.RUNNING for seat in of.seats.values()} == model.up
        assert list(of.seats) == list(model.up)
