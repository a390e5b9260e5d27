"""Accounts: what is spent and reserved never passes a limit that blocks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vega_trio._core.budget import Account, accounts, budget, charged_only_to, charged_to
from vega_trio.agent import Agent, Budget, OnExceed


def test_what_does_not_fit_waits_while_a_call_is_under_way_and_is_refused_otherwise() -> None:
    account = Account("a", 100)
    assert account.can_hold(101) == "no"
    account.reserve(60)
    assert (account.can_hold(40), account.can_hold(41)) == ("yes", "wait")
    account.settle(60, 10)
    assert (account.spent_microusd, account.reserved_microusd, account.available_microusd) == (10, 0, 90)


@pytest.mark.parametrize("on_exceed", ["warn", "allow"])
def test_a_budget_that_does_not_block_holds_anything_and_counts_it(on_exceed: OnExceed) -> None:
    account = Account("a", 100, on_exceed)
    assert account.can_hold(1_000) == "yes"
    account.reserve(1_000)
    account.settle(1_000, 500)
    assert account.spent_microusd == 500
    assert (account.passes_limit(), account.passes_limit()) == (True, False)


def test_the_warning_comes_once_at_four_fifths() -> None:
    account = Account("a", 100)
    told = []
    for cost in (79, 1, 10):
        account.settle(0, cost)
        told.append(account.passes_warning())
    assert told == [False, True, False]


def test_an_unknown_price_is_counted_and_not_taken_for_free() -> None:
    account = Account("a", 100)
    account.settle(0, None)
    assert (account.spent_microusd, account.unpriced_calls) == (0, 1)


def test_who_waits_is_woken_once_by_the_next_settlement() -> None:
    account, woken = Account("a", 100), []
    account.on_settled(lambda: woken.append(1))
    forgotten = lambda: woken.append(2)  # noqa: E731 - the same object is forgotten
    account.on_settled(forgotten)
    account.forget(forgotten)
    account.settle(0, 1)
    account.settle(0, 1)
    assert woken == [1]


def test_scopes_nest_and_end_with_their_block() -> None:
    with budget(usd=2) as outer, budget(usd=Decimal("0.5")) as inner:
        assert accounts() == (outer, inner)
        with charged_to([outer]):
            assert accounts() == (outer, inner)
        with charged_only_to([inner]):
            assert accounts() == (inner,)
    assert accounts() == ()
    assert (inner.limit, inner.used, inner.remaining) == (0.5, 0.0, 0.5)


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), True, "5"])
def test_a_limit_is_an_amount_of_money(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"Budget\.limit_usd"):
        Budget(wrong)  # type: ignore[arg-type]


def test_an_agents_budget_may_be_bare_dollars() -> None:
    assert Agent(name="a", budget=0.5).budget == Budget(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="on_exceed"):
        Budget(1, "stop")  # type: ignore[arg-type]


@given(st.integers(0, 10**12))
def test_dollars_become_micro_dollars_without_a_loss(microusd: int) -> None:
    assert Budget(Decimal(microusd) / 1_000_000).limit_microusd == microusd
    assert Budget(Decimal(microusd) / 1_000_000 + Decimal("0.0000009")).limit_microusd == microusd


class Spending(RuleBasedStateMachine):
    """Calls begin and end in any order over two nested accounts."""

    def __init__(self) -> None:
        super().__init__()
        self.nested = (Account("outer", 1_000), Account("inner", 400))
        self.under_way: list[int] = []

    @rule(amount=st.integers(0, 500))
    def begin(self, amount: int) -> None:
        if all(account.can_hold(amount) == "yes" for account in self.nested):
            for account in self.nested:
                account.reserve(amount)
            self.under_way.append(amount)

    @rule(share=st.floats(0, 1), at=st.integers(0, 20))
    def end(self, share: float, at: int) -> None:
        if self.under_way:
            amount = self.under_way.pop(at % len(self.under_way))
            for account in self.nested:
                account.settle(amount, int(amount * share))

    @invariant()
    def no_limit_is_passed(self) -> None:
        for account in self.nested:
            assert 0 <= account.spent_microusd + account.reserved_microusd <= account.limit_microusd
            assert account.reserved_microusd == sum(self.under_way)


TestSpending = Spending.TestCase
