"""From what a program or a document says about limits to what the engine enforces."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from decimal import Decimal

import attrs

from vega_trio._core.budget import Account
from vega_trio.agent import (
    DEFAULT_MAX_TOKENS,
    Budget,
    CircuitBreaker,
    Money,
    RateLimit,
    RetryPolicy,
    SlidingWindow,
    TokenBudget,
    as_budget,
)
from vega_trio.dsl.document import ContextDefinition, Settings
from vega_trio.dsl.policy import BreakerDefinition, BudgetDefinition, RateLimitDefinition, RetryDefinition
from vega_trio.dsl.units import parse_duration
from vega_trio.engine.ledger import Ledger
from vega_trio.engine.limits import CALL_TIMEOUT_S, Limits
from vega_trio.errors import ConfigError
from vega_trio.llm.calls import READ_TIMEOUT_S
from vega_trio.llm.names import parse_model_name, providers
from vega_trio.protocols import Store
from vega_trio.session import ErrorClass

Rates = RateLimit | Mapping[str, RateLimit]
_MOST_DIGITS = 9
WHOLE = "the application"
"""How the budget over everything is called in messages."""


def limits_of_program(rates: Rates | None, budget: Money | None, env: Mapping[str, str]) -> Limits:
    """Raises: ConfigError for a `VEGA_TIMEOUT` that is no duration; TypeError."""
    whole = as_budget(budget)
    for each in rates.values() if isinstance(rates, Mapping) else (() if rates is None else (rates,)):
        if not isinstance(each, RateLimit):
            raise TypeError(f"rate_limits must be a vega.RateLimit, or one per model's name, not {each!r}")
    by_model = {} if rates is None or isinstance(rates, RateLimit) else rates
    return Limits(
        rand=random.random,
        rate=rates if isinstance(rates, RateLimit) else None,
        rates={_full_name(name): rate for name, rate in by_model.items()},
        budget=None if whole is None else Account.of(whole, WHOLE),
        call_timeout_s=call_timeout(env),
    )


def limits_of_document(settings: Settings, env: Mapping[str, str]) -> Limits:
    """Without the budget, which counts what is recorded (`open_book`). Raises: ConfigError as above."""
    general = settings.rate_limit
    return Limits(
        rand=random.random,
        rate=None if general is None else rate_limit_of(general, general.strategy),
        rates={} if general is None else _rates_of(general),
        call_timeout_s=call_timeout(env),
    )


async def open_book(limits: Limits, definition: BudgetDefinition | None, store: Store) -> Limits:
    """The limits with the document's budget over what the store has recorded. Raises: StoreError."""
    budget = budget_of(definition)
    if budget is None or definition is None:
        return limits
    ledger = Ledger(Account.of(budget, WHOLE), store, definition.per, time.time)
    before = 0
    if definition.per == "total":
        before = sum(each.cost_microusd for each in await store.process_totals())
    await ledger.open(before)
    limits.budget, limits.ledger = ledger.account, ledger
    return limits


def _rates_of(general: RateLimitDefinition) -> dict[str, RateLimit]:
    """What a model's entry leaves out is as for all models."""
    found = {}
    for name, own in general.models.items():
        whole = attrs.evolve(
            own,
            requests_per_minute=own.requests_per_minute or general.requests_per_minute,
            tokens_per_minute=own.tokens_per_minute or general.tokens_per_minute,
        )
        found[_full_name(name)] = rate_limit_of(whole, general.strategy)
    return found


def _full_name(name: str) -> str:
    """The name under which the model goes, also for a model object's own name, which need not be ours."""
    provider, colon, _ = name.partition(":")
    return str(parse_model_name(name)) if not colon or provider in providers() else name


def call_timeout(env: Mapping[str, str]) -> float:
    """Seconds that one model call may last: `VEGA_TIMEOUT`, else five minutes. Raises: ConfigError."""
    text = env.get("VEGA_TIMEOUT", "").strip()
    if not text:
        return CALL_TIMEOUT_S
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"VEGA_TIMEOUT: {error}") from error
    if not seconds:
        raise ConfigError("VEGA_TIMEOUT is 0, which no model call can keep; write for example 5m")
    return seconds


def answer_tokens(env: Mapping[str, str]) -> int:
    """What bounds a reply of an agent that does not say: `VEGA_MAX_TOKENS`, else 8192. Raises: ConfigError."""
    text = env.get("VEGA_MAX_TOKENS", "").strip()
    if not text:
        return DEFAULT_MAX_TOKENS
    if not text.isdecimal() or not text.isascii() or not 0 < len(text) <= _MOST_DIGITS or not int(text):
        raise ConfigError(f"VEGA_MAX_TOKENS is {text!r}, which is no number of tokens; write for example 4096")
    return int(text)


def read_timeout(env: Mapping[str, str]) -> float:
    """Seconds that a model's server may stay silent. Raises: ConfigError."""
    return min(READ_TIMEOUT_S, call_timeout(env))


def rate_limit_of(definition: RateLimitDefinition, strategy: str) -> RateLimit:
    return RateLimit(definition.requests_per_minute, definition.tokens_per_minute, strategy)  # type: ignore[arg-type]


def retry_of(definition: RetryDefinition | None) -> RetryPolicy:
    if definition is None:
        return RetryPolicy()
    classes = tuple(ErrorClass(each) for each in definition.retry_on)
    return RetryPolicy(definition.max_attempts, definition.backoff, classes)


def breaker_of(definition: BreakerDefinition | None) -> CircuitBreaker | None:
    if definition is None:
        return None
    return CircuitBreaker(definition.threshold, definition.reset_after_s, definition.half_open_max)


def context_of(definition: ContextDefinition | None) -> TokenBudget | SlidingWindow:
    if definition is None:
        return TokenBudget()
    if definition.strategy == "token_budget":
        return TokenBudget(definition.max_tokens)
    return SlidingWindow(definition.keep, definition.compact_at_tokens)


def budget_of(definition: BudgetDefinition | None) -> Budget | None:
    if definition is None:
        return None
    return Budget(Decimal(definition.limit_microusd) / 1_000_000, definition.on_exceed)
