"""A policy or a tree that makes no sense is refused when it is written down, with field and value."""

from __future__ import annotations

from typing import Any

import pytest

import vega_trio as vega
from vega_trio import BackoffConfig, ChildSpec, Supervision, SupervisorSpec


async def body(me: object) -> None: ...


def child(child_id: str = "a", **fields: Any) -> ChildSpec:
    return ChildSpec(child_id, body, **fields)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SupervisorSpec("one_for_two"), "SupervisorSpec.strategy must be one of one_for_one, one_for_all"),
        (lambda: SupervisorSpec("one_for_two"), "not 'one_for_two'"),
        (lambda: SupervisorSpec(auto_shutdown="some"), "SupervisorSpec.auto_shutdown must be one of never, any_"),
        (lambda: SupervisorSpec(max_restarts=-1), "SupervisorSpec.max_restarts must be at least 0, not -1"),
        (lambda: SupervisorSpec(max_restarts=1.5), "max_restarts must be a whole number or None, not 1.5"),
        (lambda: SupervisorSpec(max_restarts=True), "SupervisorSpec.max_restarts must be a number, not True"),
        (lambda: SupervisorSpec(window=0), "SupervisorSpec.window must be greater than 0, not 0"),
        (lambda: SupervisorSpec(window=-5), "SupervisorSpec.window must be greater than 0, not -5"),
        (lambda: SupervisorSpec(window=float("nan")), "SupervisorSpec.window must be a number, not nan"),
        (lambda: SupervisorSpec(backoff=3), "SupervisorSpec.backoff must be a BackoffConfig or None, not 3"),
        (lambda: SupervisorSpec(children=[child(), child()]), "SupervisorSpec.children has the id 'a' twice"),
        (lambda: SupervisorSpec(children=[body]), "SupervisorSpec.children must be ChildSpecs, not <function body"),
        (lambda: SupervisorSpec(children=[child()], dynamic=True), "SupervisorSpec.children must be empty when"),
        (lambda: SupervisorSpec("rest_for_one", dynamic=True), "SupervisorSpec.strategy must be one_for_one when"),
        (
            lambda: SupervisorSpec(children=[child(restart="transient", significant=True)]),
            "SupervisorSpec.auto_shutdown must not be 'never' with the significant child 'a'",
        ),
        (lambda: SupervisorSpec(max_children=-1), "SupervisorSpec.max_children must be at least 0, not -1"),
        (lambda: SupervisorSpec(max_children=1.5), "SupervisorSpec.max_children must be a whole number, not 1.5"),
        (
            lambda: SupervisorSpec(children=[child("a"), child("b")], max_children=1),
            "SupervisorSpec.max_children must be at least the number of children, 2, not 1",
        ),
        (lambda: child(""), "ChildSpec.id must be a non-empty text, not ''"),
        (lambda: ChildSpec("a", 3), "ChildSpec.body of 'a' must be an Agent, a SupervisorSpec or an async"),
        (lambda: child(name=""), "ChildSpec.name of 'a' must be a non-empty text, not ''"),
        (lambda: child(restart="always"), "ChildSpec.restart must be one of permanent, transient, temporary"),
        (lambda: child(significant=True), "ChildSpec.significant cannot be true for the permanent child 'a'"),
        (lambda: child(shutdown=-1), "ChildSpec.shutdown must be at least 0, not -1"),
        (lambda: child(shutdown="now"), "ChildSpec.shutdown must be seconds or 'brutal_kill', not 'now'"),
        (lambda: child(start_timeout=-1), "ChildSpec.start_timeout must be at least 0, not -1"),
        (lambda: child(backoff=1), "ChildSpec.backoff must be a BackoffConfig or None, not 1"),
        (lambda: child(on_failure="explode"), "ChildSpec.on_failure must be one of restart, stop, escalate, "),
        (lambda: child(on_failure=3), "ChildSpec.on_failure must be a function or None, not 3"),
        (
            lambda: child(restart="temporary", on_failure="restart"),
            "ChildSpec.on_failure of the temporary child 'a' can be stop or escalate, not restart",
        ),
        (lambda: Supervision("explode"), "Supervision.strategy must be one of restart, stop, escalate, "),
        (lambda: Supervision(max_restarts=-1), "Supervision.max_restarts must be at least 0, not -1"),
        (lambda: Supervision(window=0), "Supervision.window must be greater than 0, not 0"),
        (lambda: Supervision(backoff="fast"), "Supervision.backoff must be a BackoffConfig or None, not 'fast'"),
        (lambda: Supervision(on_restart=1), "Supervision.on_restart must be a function or None, not 1"),
        (lambda: BackoffConfig(type="cubic"), "BackoffConfig.type must be one of exponential, linear, constant, not"),
        (lambda: BackoffConfig(initial=-1), "BackoffConfig.initial must be at least 0, not -1"),
        (lambda: BackoffConfig(max=-1), "BackoffConfig.max must be at least 0, not -1"),
        (lambda: BackoffConfig(jitter=1.5), "BackoffConfig.jitter must be at most 1, not 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused_naming_field_and_value(make: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert said in str(caught.value)


def test_words_are_accepted_as_text_and_under_both_spellings() -> None:
    assert SupervisorSpec("rest_for_one").strategy is vega.SupervisorStrategy.REST_FOR_ONE
    assert vega.SupervisorStrategy.RestForOne is vega.SupervisorStrategy.REST_FOR_ONE
    assert child(restart="temporary").restart is vega.Restart.Temporary
    assert child(on_failure="escalate").on_failure is vega.Strategy.ESCALATE
    assert Supervision("restart_all").strategy is vega.Strategy.RESTART_ALL
    assert BackoffConfig(type="linear").type is vega.BackoffType.LINEAR
    assert [str(word) for word in vega.AutoShutdown] == ["never", "any_significant", "all_significant"]


def test_the_defaults_are_those_of_the_contract() -> None:
    assert SupervisorSpec() == SupervisorSpec(
        "one_for_one", (), max_restarts=3, window=5.0, backoff=None, auto_shutdown="never", dynamic=False,
        max_children=None, revive=True,
    )  # fmt: skip
    assert child() == child(
        restart="permanent", shutdown=None, significant=False, start_timeout=None, backoff=None, on_failure=None,
        name=None,
    )  # fmt: skip
    assert Supervision() == Supervision(
        "restart", max_restarts=3, window=300.0, backoff=BackoffConfig(0.1, 2.0, 30.0, 0.0, "exponential"),
        on_failure=None, on_restart=None, on_give_up=None,
    )  # fmt: skip
    assert BackoffConfig() == BackoffConfig(initial=0.1, multiplier=2.0, max=30.0, jitter=0.0, type="exponential")
