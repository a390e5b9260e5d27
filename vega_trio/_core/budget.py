"""Money as scopes: every call is charged to all the accounts that it runs in.

    reserve   before a call, its worst case, on all accounts or on none
    settle    after it, what it cost; the rest of the reservation is free again

`spent + reserved` never passes the limit of an account that blocks, so neither does `spent`, as long as no call costs
more than its worst case. Amounts are integer micro-dollars.

Which accounts a piece of work runs in is a context variable: tasks inherit it, mail carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from decimal import Decimal
from typing import Literal

import attrs

from vega_trio.agent import Budget, OnExceed

WARN_AT = 0.8

Verdict = Literal["yes", "wait", "no"]


@attrs.define(eq=False)
class Account:
    """What one budget has left. `label` says whose it is, as in `spent by 'coder'`.

    `unpriced_calls` were made at a price nobody knows; they are counted, never taken for free. `owner` is the process
    whose account it is, under which the store keeps it; empty for one that ends with the program.
    """

    label: str
    limit_microusd: int
    on_exceed: OnExceed = "block"
    spent_microusd: int = 0
    owner: str = ""
    reserved_microusd: int = attrs.field(default=0, init=False)
    unpriced_calls: int = attrs.field(default=0, init=False)
    warned: bool = attrs.field(default=False, init=False)
    overrun: bool = attrs.field(default=False, init=False)
    _waiting: list[Callable[[], None]] = attrs.field(factory=list, init=False, repr=False)

    @classmethod
    def of(cls, budget: Budget, label: str, spent_microusd: int = 0, owner: str = "") -> Account:
        return cls(label, budget.limit_microusd, budget.on_exceed, spent_microusd, owner)

    @property
    def limit(self) -> float:
        """In dollars."""
        return self.limit_microusd / 1_000_000

    @property
    def used(self) -> float:
        """In dollars, without what is reserved for calls under way."""
        return self.spent_microusd / 1_000_000

    @property
    def remaining(self) -> float:
        """In dollars; never below zero."""
        return self.available_microusd / 1_000_000

    @property
    def available_microusd(self) -> int:
        """What is neither spent nor reserved."""
        return max(0, self.limit_microusd - self.spent_microusd - self.reserved_microusd)

    def can_hold(self, amount: int) -> Verdict:
        """Whether `amount` may be reserved; "wait": perhaps, once a call under way has cost less than it might."""
        if self.on_exceed != "block" or amount <= self.available_microusd:
            return "yes"
        return "wait" if self.reserved_microusd else "no"

    def reserve(self, amount: int) -> None:
        self.reserved_microusd += amount

    def settle(self, reserved: int, cost: int | None) -> None:
        """Replaces a reservation by the cost; None: the price is not known."""
        self.reserved_microusd -= reserved
        if cost is None:
            self.unpriced_calls += 1
        else:
            self.spent_microusd += cost
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def begin_again(self) -> None:
        """A new period: nothing is spent yet."""
        self.spent_microusd, self.warned, self.overrun = 0, False, False

    def on_settled(self, wake: Callable[[], None]) -> None:
        """Calls back at the next settlement, once."""
        self._waiting.append(wake)

    def forget(self, wake: Callable[[], None]) -> None:
        if wake in self._waiting:
            self._waiting.remove(wake)

    def passes_warning(self) -> bool:
        """Whether 80 % are spent now and were not when last asked. Of no money, none is 80 %."""
        if self.warned or not self.spent_microusd or self.spent_microusd < WARN_AT * self.limit_microusd:
            return False
        self.warned = True
        return True

    def passes_limit(self) -> bool:
        """Whether more than the limit is spent now and was not when last asked: a budget that warns, once."""
        if self.overrun or self.spent_microusd <= self.limit_microusd:
            return False
        self.overrun = True
        return True


_ACCOUNTS: ContextVar[tuple[Account, ...]] = ContextVar("vega_trio_accounts", default=())


def accounts() -> tuple[Account, ...]:
    """The accounts that the current task's work is charged to, outermost first."""
    return _ACCOUNTS.get()


def join_accounts(more: Iterable[Account]) -> Token[tuple[Account, ...]]:
    """Charges the current context to these accounts too, from now on; each counts once."""
    return _ACCOUNTS.set(tuple(dict.fromkeys((*_ACCOUNTS.get(), *more))))


@contextmanager
def charged_to(more: Iterable[Account]) -> Iterator[None]:
    """Charges what the block does to these accounts too."""
    token = join_accounts(more)
    try:
        yield
    finally:
        _ACCOUNTS.reset(token)


@contextmanager
def charged_only_to(these: Iterable[Account] = ()) -> Iterator[None]:
    """What the block starts is charged to these accounts alone: for what outlives the piece of work that needs it."""
    token = _ACCOUNTS.set(tuple(these))
    try:
        yield
    finally:
        _ACCOUNTS.reset(token)


@contextmanager
def budget(*, usd: float | Decimal, on_exceed: OnExceed = "block") -> Iterator[Account]:
    """At most `usd` dollars for what is sent, streamed and spawned in the block, and all that follows from it.

    The account has `used` and `remaining`, in dollars, also after the block. Nested budgets all hold. A call that
    could pass the limit is not made, and its turn fails with class budget_exceeded; `on_exceed` "warn" and "allow"
    let it pass, with and without an event.
    """
    account = Account.of(Budget(usd, on_exceed), "the budget scope")
    with charged_to((account,)):
        yield account
