"""Reads what agents, steps and settings share: supervision, retries, budgets, limits."""

from __future__ import annotations

from vega_trio.agent import BackoffConfig, BackoffType, Strategy, Supervision
from vega_trio.dsl.document import ContextDefinition, DelegationDefinition, SkillsDefinition
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.policy import BreakerDefinition, BudgetDefinition, RateLimitDefinition, RetryDefinition
from vega_trio.dsl.values import MAX_COUNT
from vega_trio.dsl.yaml_nodes import YamlMap

_STRATEGIES = {str(each): each for each in Strategy}
_BACKOFFS = {str(each): each for each in BackoffType}
RETRY_CLASSES = (
    "rate_limit",
    "overloaded",
    "timeout",
    "temporary",
    "invalid_request",
    "authentication",
    "budget_exceeded",
)


def read_supervision(owner: Fields) -> Supervision | None:
    """`supervision: {strategy, max_restarts, window, backoff}`; -1 restarts are unlimited."""
    fields = owner.inner("supervision")
    if fields is None:
        return None
    default = Supervision()
    restarts = fields.maybe_whole("max_restarts", -1, MAX_COUNT)
    found = Supervision(
        fields.choice("strategy", default.strategy, _STRATEGIES),
        max_restarts=default.max_restarts if restarts is None else None if restarts < 0 else restarts,
        window=fields.duration("window", default.window),
        backoff=read_backoff(fields, default.backoff or BackoffConfig()),
    )
    fields.finish()
    return found


def read_backoff(owner: Fields, default: BackoffConfig) -> BackoffConfig:
    """`backoff: linear`, or `backoff: {type, initial, multiplier, max, jitter}`."""
    if not isinstance(owner.take("backoff"), YamlMap):
        kind = owner.choice("backoff", default.type, _BACKOFFS)
        return BackoffConfig(default.initial, default.multiplier, default.max, default.jitter, kind)
    fields = owner.inner("backoff")
    assert fields is not None
    found = BackoffConfig(
        initial=fields.duration("initial", default.initial, above_zero=False),
        multiplier=fields.number("multiplier", default.multiplier, 0, 1000),
        max=fields.duration("max", default.max, above_zero=False),
        jitter=fields.number("jitter", default.jitter, 0, 1),
        type=fields.choice("type", default.type, _BACKOFFS),
    )
    fields.finish()
    return found


def read_retry(owner: Fields, default: RetryDefinition | None = None) -> RetryDefinition | None:
    """`retry: {max_attempts, backoff, retry_on}`."""
    fields = owner.inner("retry")
    if fields is None:
        return None
    default = default or RetryDefinition()
    attempts = fields.whole("max_attempts", default.max_attempts, 1, 100)
    backoff = read_backoff(fields, default.backoff)
    classes = read_classes(fields, "retry_on") or default.retry_on
    fields.finish()
    return RetryDefinition(attempts, backoff, classes)


def read_classes(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of failure classes."""
    found = fields.texts(key)
    for each in found:
        if each not in RETRY_CLASSES:
            fields.wrong("V016", key, f"'{each}' is no failure class", f"the classes are: {', '.join(RETRY_CLASSES)}")
    return tuple(each for each in found if each in RETRY_CLASSES)


def read_budget(owner: Fields, *, per: bool = False) -> BudgetDefinition | None:
    """Money, or `{limit, on_exceed}`; `per` allows a period."""
    if not isinstance(owner.take("budget"), YamlMap):
        amount = owner.money("budget")
        return None if amount is None else BudgetDefinition(amount)
    fields = owner.inner("budget")
    assert fields is not None
    limit = fields.money("limit")
    on_exceed = fields.choice("on_exceed", "block", {"block": "block", "warn": "warn", "allow": "allow"})
    period = "total"
    if per:
        period = fields.choice("per", "total", {"total": "total", "month": "month", "day": "day"})
    if limit is None and "limit" not in fields.entries:
        fields.lacking("V016", "a budget needs a 'limit'", "write for example: limit: $5.00")
    fields.finish()
    return None if limit is None else BudgetDefinition(limit, on_exceed, period)  # type: ignore[arg-type]


def read_rate_limit(owner: Fields, *, settings: bool = False) -> RateLimitDefinition | None:
    """`rate_limit: {requests_per_minute, tokens_per_minute}`; settings add `strategy` and `models`."""
    fields = owner.inner("rate_limit")
    return None if fields is None else _rate_limit(fields, settings)


def _rate_limit(fields: Fields, settings: bool) -> RateLimitDefinition:
    requests = fields.maybe_whole("requests_per_minute", 1, MAX_COUNT)
    tokens = fields.maybe_whole("tokens_per_minute", 1, MAX_COUNT)
    strategies = {"queue": "queue", "reject": "reject", "backpressure": "backpressure"}
    strategy = fields.choice("strategy", "queue", strategies) if settings else "queue"
    models: dict[str, RateLimitDefinition] = {}
    by_name = fields.inner("models") if settings else None
    if by_name is not None:
        for name in by_name.entries:
            limits = by_name.inner(name)
            if limits is not None:
                models[name] = _rate_limit(limits, False)
        by_name.finish()
    fields.finish()
    return RateLimitDefinition(requests, tokens, strategy, models)  # type: ignore[arg-type]


def read_breaker(owner: Fields) -> BreakerDefinition | None:
    fields = owner.inner("circuit_breaker")
    if fields is None:
        return None
    default = BreakerDefinition()
    found = BreakerDefinition(
        threshold=fields.whole("threshold", default.threshold, 1, MAX_COUNT),
        reset_after_s=fields.duration("reset_after", default.reset_after_s),
        half_open_max=fields.whole("half_open_max", default.half_open_max, 1, MAX_COUNT),
    )
    fields.finish()
    return found


def read_delegation(owner: Fields) -> DelegationDefinition | None:
    fields = owner.inner("delegation")
    if fields is None:
        return None
    default = DelegationDefinition()
    found = DelegationDefinition(
        context_window=fields.whole("context_window", default.context_window, 0, 10_000),
        include_roles=fields.texts("include_roles") or default.include_roles,
        blackboard=fields.flag("blackboard", default.blackboard),
        max_depth=fields.whole("max_depth", default.max_depth, 1, 32),
        budget=read_budget(fields),
        timeout_s=fields.maybe_duration("timeout"),
    )
    for role in found.include_roles:
        if role not in ("user", "assistant"):
            fields.wrong("V016", "include_roles", f"'{role}' is no role", "the roles are: user, assistant")
    fields.finish()
    return found


def read_skills(owner: Fields) -> SkillsDefinition | None:
    fields = owner.inner("skills")
    if fields is None:
        return None
    found = SkillsDefinition(
        directories=fields.texts("directories"),
        include=fields.texts("include"),
        exclude=fields.texts("exclude"),
        max_active=fields.whole("max_active", SkillsDefinition().max_active, 0, 1000),
    )
    fields.finish()
    return found


def read_context(owner: Fields) -> ContextDefinition | None:
    fields = owner.inner("context")
    if fields is None:
        return None
    strategies = {"token_budget": "token_budget", "sliding_window": "sliding_window"}
    default = ContextDefinition()
    found = ContextDefinition(
        strategy=fields.choice("strategy", default.strategy, strategies),  # type: ignore[arg-type]
        max_tokens=fields.whole("max_tokens", default.max_tokens, 1, MAX_COUNT),
        keep=fields.whole("keep", default.keep, 1, MAX_COUNT),
        compact_at_tokens=fields.whole("compact_at_tokens", default.compact_at_tokens, 1, MAX_COUNT),
    )
    fields.finish()
    return found
