"""Reads `settings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, TypeVar

from vega_trio.destinations import parse_allow
from vega_trio.dsl.document import (
    UNSAID,
    ApprovalsDefinition,
    LoggingDefinition,
    Settings,
    TracingDefinition,
)
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.read_models import model_problem, read_model
from vega_trio.dsl.read_policies import (
    read_breaker,
    read_budget,
    read_delegation,
    read_rate_limit,
    read_retry,
    read_supervision,
)
from vega_trio.dsl.read_servers import read_servers
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.values import MAX_COUNT
from vega_trio.dsl.yaml_nodes import YamlMap, YamlScalar
from vega_trio.errors import ConfigError
from vega_trio.price import Price

LOG_LEVELS = ("debug", "info", "warning", "error")
EXPORTERS: Mapping[str, Literal["otlp", "json", "console"]] = {
    "otlp": "otlp",
    "jaeger": "otlp",
    "json": "json",
    "console": "console",
}
LIMITS = (
    "body",
    "message",
    "subscribers",
    "websockets",
    "connections",
    "requests_per_s",
    "turns_per_min",
    "mailbox",
)


def read_settings(reading: Reading, node: YamlMap | None) -> Settings:
    if node is None:
        return UNSAID
    fields = Fields(reading, node, "settings")
    skills = _inner(fields, "skills", lambda inner: (inner.texts("directories"), inner.texts("trust"))) or ((), ())
    memory = _inner(fields, "memory", lambda inner: (inner.flag("enabled", False), read_model(inner, "model")))
    found = Settings(
        default_model=read_model(fields, "default_model"),
        fallback_model=read_model(fields, "fallback_model"),
        default_temperature=fields.maybe_number("default_temperature", 0, 2),
        api_key=_api_key(fields),
        sandbox=fields.text("sandbox") or UNSAID.sandbox,
        budget=read_budget(fields, per=True),
        supervision=read_supervision(fields),
        retry=read_retry(fields),
        circuit_breaker=read_breaker(fields),
        delegation=read_delegation(fields),
        rate_limit=read_rate_limit(fields, settings=True),
        prices=_inner(fields, "prices", _prices) or {},
        logging=_inner(fields, "logging", _logging),
        tracing=_inner(fields, "tracing", _tracing),
        skills_directories=skills[0],
        skills_trust=skills[1],
        http_allow=_inner(fields, "http", _allow) or (),
        commands_sandbox=_inner(fields, "commands", _commands),
        durability=fields.choice("durability", UNSAID.durability, {"full": "full", "process": "process"}),
        keep_events_s=_keep_events(fields),
        values=_values(fields),
        expose_env=fields.texts("expose_env"),
        approvals=_inner(fields, "approvals", _approvals),
        memory_enabled=memory[0] if memory else False,
        memory_model=memory[1] if memory else None,
        max_processes=fields.whole("max_processes", UNSAID.max_processes, 1, MAX_COUNT),
        idle_stop_s=fields.duration("idle_stop", UNSAID.idle_stop_s),
        shutdown_timeout_s=fields.duration("shutdown_timeout", UNSAID.shutdown_timeout_s, above_zero=False),
        limits=_inner(fields, "limits", _limits) or {},
        mcp_servers=_inner(fields, "mcp", read_servers) or (),
    )
    fields.finish()
    return found


_T = TypeVar("_T")
_DAY_S = 86400.0


def _inner(fields: Fields, key: str, read: Callable[[Fields], _T | None]) -> _T | None:
    inner = fields.inner(key)
    if inner is None:
        return None
    found = read(inner)
    inner.finish()
    return found


def _keep_events(fields: Fields) -> float:
    seconds = fields.duration("keep_events", UNSAID.keep_events_s)
    if seconds < 7 * _DAY_S:
        hint = "write 168h or more: clients of the event stream may resume after a week"
        fields.wrong("V016", "keep_events", "'keep_events' must be at least a week", hint)
    return seconds


def _api_key(fields: Fields) -> str | None:
    node = fields.take("api_key")
    if isinstance(node, YamlScalar) and not node.substituted and node.value:
        hint = "write api_key: ${ANTHROPIC_API_KEY}, and set it in the environment"
        fields.reading.error("W108", node, "an API key stands in the file", hint, fields.at("api_key"))
    return fields.maybe_text("api_key")


def _prices(fields: Fields) -> dict[str, Price]:
    found: dict[str, Price] = {}
    for name in list(fields.entries):
        if (problem := model_problem(fields.reading.providers, name)) is not None:
            fields.wrong_key("V016", name, *problem)
        price = _inner(fields, name, _price)
        if price is not None:
            found[name] = price
    return found


def _price(fields: Fields) -> Price | None:
    """Of a million tokens."""
    given = {key: fields.money(key) for key in ("input", "output", "cache_read", "cache_write")}
    for key in ("input", "output"):
        if key not in fields.entries:
            hint = "write what a million tokens cost: {input: $3.00, output: $15.00}"
            fields.lacking("V016", f"a price needs '{key}'", hint)
    dollars = {key: Decimal(amount) / 1_000_000 for key, amount in given.items() if amount is not None}
    return Price(**dollars) if {"input", "output"} <= dollars.keys() else None


def _logging(fields: Fields) -> LoggingDefinition:
    default = LoggingDefinition()
    return LoggingDefinition(
        level=fields.choice("level", default.level, {each: each for each in LOG_LEVELS}),
        file=fields.maybe_text("file"),
        format=fields.choice("format", default.format, {"text": "text", "json": "json"}),
    )


def _tracing(fields: Fields) -> TracingDefinition:
    default = TracingDefinition()
    found = TracingDefinition(
        enabled=fields.flag("enabled", default.enabled),
        exporter=fields.choice("exporter", default.exporter, EXPORTERS),
        endpoint=fields.maybe_text("endpoint"),
        content=fields.flag("content", default.content),
    )
    if found.endpoint is not None and found.exporter != "otlp":
        hint = "remove it, or write exporter: otlp"
        fields.wrong("V016", "endpoint", f"the exporter '{found.exporter}' writes to stderr and has no endpoint", hint)
    return found


def _allow(fields: Fields) -> tuple[str, ...]:
    found = fields.texts("allow")
    for each in found:
        try:
            parse_allow([each])
        except ConfigError:
            hint = "write a host, host:port, or a network such as 10.0.0.0/8"
            fields.wrong("V016", "allow", f"'{each}' is no host and no network", hint)
    return found


def _commands(fields: Fields) -> Literal["bwrap", "none"] | None:
    kinds: dict[str, Literal["bwrap", "none"] | None] = {"bwrap": "bwrap", "none": "none"}
    return fields.choice("sandbox", None, kinds)


def _values(fields: Fields) -> Mapping[str, object]:
    inner = fields.inner("values")
    if inner is None:
        return {}
    found: dict[str, object] = {}
    for name in inner.entries:
        node = inner.take(name)
        found[name] = None if node is None else fields.reading.data(node, inner.at(name))
    return found


def _approvals(fields: Fields) -> ApprovalsDefinition:
    default = ApprovalsDefinition()
    return ApprovalsDefinition(
        tools=fields.texts("tools"),
        mixing=fields.choice("mixing", default.mixing, {"ask": "ask", "allow": "allow"}),
        timeout_s=fields.duration("timeout", default.timeout_s),
    )


def _limits(fields: Fields) -> Mapping[str, float]:
    found = {name: fields.maybe_number(name, 1, MAX_COUNT) for name in LIMITS}
    return {name: value for name, value in found.items() if value is not None}
