"""Money around one model call: the worst case is held before it, the real cost is charged after it."""

from __future__ import annotations

import attrs
import trio

from vega_trio._core.budget import Account, accounts
from vega_trio._core.window import Measured, most_tokens
from vega_trio.changes import Change, Spend, Together
from vega_trio.context import Metrics
from vega_trio.dsl.units import show_money
from vega_trio.engine.ledger import Ledger
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import BudgetExceeded
from vega_trio.events import BudgetOverrun, BudgetWarning, HealthAlert
from vega_trio.messages import Usage
from vega_trio.protocols import Model, ModelRequest


@attrs.define(eq=False)
class Held:
    """A reservation. `request` may ask for a shorter answer than the agent's, so that the worst case fits.

    It ends in one of `settle` and `lose`; `release` ends it when neither has.
    """

    turn: Turn
    model: Model
    request: ModelRequest
    accounts: tuple[Account, ...] = ()
    amount: int = 0
    shortened: bool = False
    _open: bool = attrs.field(default=True, init=False)

    def settle(self, usage: Usage) -> None:
        """Charges a finished call."""
        self._charge(self.model.price(usage))
        turn = self.turn
        turn.conversation.measured = Measured.of(self.model.name, self.request, usage)
        metrics = turn.process.metrics
        turn.usage += usage
        metrics.input_tokens += usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        metrics.output_tokens += usage.output_tokens

    def lose(self, heard: int) -> None:
        """Charges a call that broke off after `heard` bytes of answer: at most what the provider may bill for it."""
        price = worst_case(self.turn, self.model, self.request, heard)
        self._charge(price if price is None or not self.accounts else min(price, self.amount))

    def release(self) -> None:
        """The call never reached the model: it costs nothing."""
        if self._open:
            self._open = False
            for account in self.accounts:
                account.settle(self.amount, 0)

    def _charge(self, cost: int | None) -> None:
        self._open = False
        cost = None if cost is None else max(0, cost)  # what a server miscounts must not fill a budget up
        turn, metrics = self.turn, self.turn.process.metrics
        metrics.last_active_at = turn.equipment.wall_clock()
        if cost is None:
            metrics.unpriced_calls += 1
            turn.cost_microusd = None
        else:
            metrics.cost_microusd += cost
            if turn.conversation.journal.is_open(turn.model_key):
                turn.conversation.journal.charge(turn.model_key, cost)
            turn.cost_microusd = None if turn.cost_microusd is None else turn.cost_microusd + cost
        for account in self.accounts:
            account.settle(self.amount, cost)
            _report(turn, account)


async def hold(turn: Turn, model: Model, request: ModelRequest) -> Held:
    """Reserves the call's worst case on all accounts that it is charged to, waiting for calls under way to settle.

    Near the end of a budget the answer is shortened to what is left.

    Raises: BudgetExceeded when not even the shortest answer fits.
    """
    charged, ledger = accounts(), turn.equipment.limits.ledger
    whole = turn.equipment.limits.budget
    if ledger is not None:
        ledger.turn_page()
    if whole is not None and whole not in charged:
        charged = (whole, *charged)
    if not charged:
        return Held(turn, model, request)
    asked = request
    while True:
        amount = worst_case(turn, model, request, request.max_tokens)
        if amount is None:
            _alert_unpriced(turn, model, charged)
            return Held(turn, model, request, charged)
        verdicts = {account: account.can_hold(amount) for account in charged}
        refusing = [account for account, verdict in verdicts.items() if verdict == "no"]
        waiting = [account for account, verdict in verdicts.items() if verdict == "wait"]
        if refusing:
            request = _shortened(turn, model, request, min(refusing, key=lambda each: each.available_microusd))
        elif waiting:
            await _next_settlement(waiting)
        else:
            for account in charged:
                account.reserve(amount)
            held = Held(turn, model, request, charged, amount, request is not asked)
            await _written(held, ledger)
            return held


async def _written(held: Held, ledger: Ledger | None) -> None:
    """The reservation is on disk before the call is made; if it cannot be, there is no call.

    What a crash then leaves reserved counts as spent: the call may have been made, and may be billed.
    """
    turn, changes = held.turn, [*balances(), *(() if ledger is None else (ledger.page_now(),))]
    key, journal = turn.model_key, turn.conversation.journal
    if not changes:
        return  # accounts of this program alone end with it
    if journal.is_open(key):  # a summary that was asked for is no call of a turn
        changes.append(journal.reserve(key, held.amount))
    written = False
    try:
        await turn.conversation.store.submit(Together(tuple(changes))).wait()
        written = True
    finally:
        if not written:
            held.release()


def balances() -> list[Change]:
    """How the accounts that are charged at the moment stand, for those that outlive the program."""
    kept = {account.owner: account for account in accounts() if account.owner}
    return [Spend(owner, each.spent_microusd, each.reserved_microusd) for owner, each in kept.items()]


def worst_case(turn: Turn, model: Model, request: ModelRequest, answer_tokens: int) -> int | None:
    """The most that a call can cost, in micro-dollars, with so long an answer; None: the price is not known."""
    size = most_tokens(model.name, request, turn.conversation.measured)
    prices = [
        model.price(Usage(input_tokens=size, output_tokens=answer_tokens)),
        model.price(Usage(cache_write_tokens=size, output_tokens=answer_tokens)),
    ]
    known = [price for price in prices if price is not None]
    return max(known) if known else None


def _shortened(turn: Turn, model: Model, request: ModelRequest, account: Account) -> ModelRequest:
    """The request with the longest answer that the account can hold. Raises: BudgetExceeded."""
    low, high = 0, request.max_tokens
    while low + 1 < high:  # `low` fits, `high` does not
        middle = (low + high) // 2
        price = worst_case(turn, model, request, middle)
        low, high = (middle, high) if price is not None and price <= account.available_microusd else (low, middle)
    if low:
        return attrs.evolve(request, max_tokens=low)
    turn.emit(BudgetOverrun, scope=account.label, limit_usd=account.limit, spent_usd=account.used, blocked=True)
    raise BudgetExceeded(
        f"budget exceeded: {show_money(account.spent_microusd)} of {show_money(account.limit_microusd)} spent by"
        f" {account.label}, and the next call could cost more than is left; raise the budget"
    )


async def _next_settlement(waiting: list[Account]) -> None:
    settled = trio.Event()
    for account in waiting:
        account.on_settled(settled.set)
    try:
        await settled.wait()
    finally:
        for account in waiting:
            account.forget(settled.set)


def _report(turn: Turn, account: Account) -> None:
    figures = {"scope": account.label, "limit_usd": account.limit, "spent_usd": account.used}
    if account.on_exceed == "allow":
        return
    if account.passes_warning():
        turn.emit(BudgetWarning, **figures)
    if account.on_exceed == "warn" and account.passes_limit():
        turn.emit(BudgetOverrun, **figures, blocked=False)


def _alert_unpriced(turn: Turn, model: Model, charged: tuple[Account, ...]) -> None:
    """Once per model: a budget cannot hold what has no price."""
    known = turn.equipment.limits.unpriced
    if model.name not in known:
        known.add(model.name)
        message = f"no price is known for {model.name}, so its calls are not covered by {charged[0].label}'s budget"
        turn.emit(HealthAlert, kind="unpriced", message=message)


def spent_so_far(metrics: Metrics) -> tuple[int, int]:
    """What `spent_since` is later to count from."""
    return metrics.cost_microusd, metrics.unpriced_calls


def spent_since(before: tuple[int, int], metrics: Metrics) -> int | None:
    """What calls cost with all their attempts, in micro-dollars; None when one of them has no known price."""
    cost, unpriced = before
    return None if metrics.unpriced_calls > unpriced else metrics.cost_microusd - cost
