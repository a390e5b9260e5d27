"""What all processes of an application share when they call models: breakers, rates, and pauses that models ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import trio

from vega_trio._core.breaker import Breaker
from vega_trio._core.bucket import MINUTE_S, Bucket
from vega_trio._core.budget import Account
from vega_trio._core.pace import Pace
from vega_trio._core.retrying import RETRY_AFTER_CAP_S, spread_out
from vega_trio.agent import Agent, CircuitBreaker, RateLimit
from vega_trio.engine.ledger import Ledger
from vega_trio.errors import CircuitOpen, ModelError, RateLimited
from vega_trio.protocols import Model
from vega_trio.session import ErrorClass

CALL_TIMEOUT_S = 300.0
"""No model call lasts longer, whatever trickles in."""

DOWN = frozenset({ErrorClass.OVERLOADED, ErrorClass.TIMEOUT, ErrorClass.TEMPORARY, ErrorClass.RATE_LIMIT})
"""Failures that say something about the model and not about the request."""


@attrs.define(eq=False)
class Limiter:
    """One rate limit. Waiting is in order of arrival; `label` says whose limit it is."""

    label: str
    config: RateLimit
    requests: Bucket | None
    tokens: Bucket | None

    @classmethod
    def of(cls, label: str, config: RateLimit) -> Limiter:
        now = trio.current_time()
        rates = (config.requests_per_minute, config.tokens_per_minute)
        requests, tokens = (None if rate is None else Bucket.full(rate, now) for rate in rates)
        return cls(label, config, requests, tokens)

    async def enter(self, tokens: int) -> None:
        """Waits until a call with so many input tokens may be made. Cancelled, its place is given back.

        Raises: RateLimited, as the strategy has it.
        """
        now = trio.current_time()
        wait = max(bucket.wait_for(amount, now) for bucket, amount in self._needs(tokens))
        self._refuse(wait)
        for bucket, amount in self._needs(tokens):
            bucket.take(amount, now)
        entered = False
        try:
            if wait:
                await trio.sleep(wait)
            entered = True
        finally:
            if not entered:
                for bucket, amount in self._needs(tokens):
                    bucket.give_back(amount, trio.current_time())

    def _refuse(self, wait: float) -> None:
        longest = {"queue": float("inf"), "backpressure": MINUTE_S, "reject": 0.0}[self.config.strategy]
        if wait > longest:
            raise RateLimited(f"the rate limit of {self.label} is reached; try again in {wait:.0f} s", wait)

    def _needs(self, tokens: int) -> list[tuple[Bucket, int]]:
        return [(bucket, n) for bucket, n in ((self.requests, 1), (self.tokens, tokens)) if bucket is not None]

    def correct(self, guessed: int, used: int) -> None:
        """Replaces the guess by what the call came to: what was over is owed by those who come next."""
        if self.tokens is not None:
            now = trio.current_time()
            self.tokens.give_back(guessed, now)
            self.tokens.take(used, now)


@attrs.define(eq=False, kw_only=True)
class Limits:
    """`rate` holds for each model by itself, `rates` replaces it for single models, by name.

    `budget` is the whole application's, kept in `ledger` where it outlives the program; `rand` gives a number in
    [0, 1). An agent's own rate limit is shared by all its processes, a breaker by all agents that ask the same of the
    same model.
    """

    rand: Callable[[], float]
    rate: RateLimit | None = None
    rates: Mapping[str, RateLimit] = attrs.field(factory=dict)
    budget: Account | None = None
    ledger: Ledger | None = None
    call_timeout_s: float = CALL_TIMEOUT_S
    unpriced: set[str] = attrs.field(factory=set, init=False)
    _breakers: dict[tuple[str, CircuitBreaker], Breaker] = attrs.field(factory=dict, init=False)
    _limiters: dict[tuple[str, RateLimit], Limiter] = attrs.field(factory=dict, init=False)
    _paces: dict[str, Pace] = attrs.field(factory=dict, init=False)

    def breaker(self, agent: Agent, model: Model) -> Breaker | None:
        """The breaker to pass, if the agent has one. Raises: CircuitOpen when it lets nothing through now."""
        config = agent.circuit_breaker
        if config is None:
            return None
        breaker = self._breakers.setdefault((model.name, config), Breaker(config))
        wait = breaker.refuses_for(trio.current_time())
        if wait:
            raise CircuitOpen(f"{model.name} kept failing and is not called for now; try again in {wait:.0f} s", wait)
        return breaker

    def limiters(self, agent: Agent, model: Model) -> list[Limiter]:
        """Those that a call has to pass: the model's, then the agent's."""
        found = []
        for_model = self.rates.get(model.name, self.rate)
        if for_model is not None:
            found.append(self._limiter(f"the model {model.name}", for_model))
        if agent.rate_limit is not None:
            found.append(self._limiter(f"the agent {agent.name!r}", agent.rate_limit))
        return [limiter for limiter in found if limiter.requests is not None or limiter.tokens is not None]

    def _limiter(self, label: str, config: RateLimit) -> Limiter:
        key = (label, config)
        if key not in self._limiters:
            self._limiters[key] = Limiter.of(label, config)
        return self._limiters[key]

    def pace(self, model: Model) -> Pace:
        return self._paces.setdefault(model.name, Pace())

    def slow_down(self, model: Model, error: ModelError, called_at: float) -> None:
        """The model refused a call as one too many: that holds for everybody who would call it."""
        if error.error_class is ErrorClass.RATE_LIMIT:
            pause = min(error.retry_after_s or 0.0, RETRY_AFTER_CAP_S)
            self.pace(model).refused(called_at, trio.current_time(), pause)

    async def keep_pace(self, agent: Agent, model: Model) -> None:
        """Waits until the model may be called again, and then for this caller's turn: they do not come all at once.

        Raises: RateLimited where the model's or the agent's rate limit is to reject rather than wait out a pause.
        """
        pace = self.pace(model)
        while wait := pace.pause_left(trio.current_time()):
            if any(limiter.config.strategy == "reject" for limiter in self.limiters(agent, model)):
                raise RateLimited(f"{model.name} asked for a pause; try again in {wait:.0f} s", wait)
            await trio.sleep(wait + spread_out(pace.pause_s, self.rand()) - pace.pause_s)
        turn = pace.take_turn(trio.current_time())
        if turn:
            await trio.sleep(turn)
