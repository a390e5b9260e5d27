"""Reads the options of a step."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio.agent import BackoffConfig
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.policy import RetryDefinition
from vega_trio.dsl.read_actions import Inside, check_variable
from vega_trio.dsl.read_policies import RETRY_CLASSES, read_budget, read_retry
from vega_trio.dsl.schema import check_schema
from vega_trio.dsl.template import Template
from vega_trio.dsl.workflow import StepOptions, StepRetry
from vega_trio.dsl.yaml_nodes import YamlMap, YamlNode, YamlScalar

_NEVER_AGAIN = frozenset({"authentication", "invalid_request", "budget_exceeded"})
_ALL = (*RETRY_CLASSES, "agent_crashed", "format_error", "limit_exceeded")
_AGAIN = tuple(each for each in _ALL if each not in _NEVER_AGAIN)
_PAUSES = BackoffConfig(initial=1.0, multiplier=2.0, max=30.0, jitter=0.1)


def read_options(inside: Inside, fields: Fields) -> StepOptions:
    """All options but `id` and `if`, which belong to the step."""
    on_timeout = inside.steps(fields, "on_timeout") if fields.take("on_timeout") is not None else None
    timeout = fields.maybe_duration("timeout")
    if on_timeout is not None and "timeout" not in fields.entries:
        hint = "write beside it for example: timeout: 30s"
        fields.wrong("V033", "on_timeout", "'on_timeout' needs a 'timeout'", hint)
    return StepOptions(
        save=read_save(inside, fields.take("save"), fields.at("save")),
        timeout_s=timeout,
        on_timeout=on_timeout,
        continue_on_error=fields.flag("continue_on_error", False),
        budget=read_budget(fields),
        retry=_retry(fields),
        format=fields.choice("format", None, {"json": "json", "yaml": "yaml"}),
        schema=_schema(fields),
        tools=_tools(fields),
        fresh=fields.flag("fresh", False),
    )


def read_save(inside: Inside, node: YamlNode | None, path: str) -> Template | None:
    """The name of a variable, or a template that gives one."""
    if node is None:
        return None
    template = inside.reading.template(node, path)
    if isinstance(node, YamlScalar) and "{{" not in node.text:
        check_variable(inside.reading, node, node.text, path)
    return template


def _tools(fields: Fields) -> tuple[str, ...] | None:
    node = fields.take("tools")
    if node is None:
        return None
    tools = fields.texts("tools")
    fields.reading.keep_origin(tools, node, fields.at("tools"))
    return tools


def _retry(fields: Fields) -> StepRetry | None:
    """`retry: n`, up to n more times, or the mapping form."""
    default = RetryDefinition(3, _PAUSES, _AGAIN)
    if isinstance(fields.take("retry"), YamlMap):
        found = read_retry(fields, default)
        return None if found is None else StepRetry(found.max_attempts, found.backoff, found.retry_on)
    times = fields.maybe_whole("retry", 0, 100)
    return None if times is None else StepRetry(times + 1, _PAUSES, _AGAIN)


def _schema(fields: Fields) -> Mapping[str, object] | None:
    node = fields.mapping("schema")
    if node is None:
        return None
    schema = fields.reading.data(node, fields.at("schema"))
    assert isinstance(schema, dict)
    problem = check_schema(schema)
    if problem:
        fields.wrong("V016", "schema", f"this is no JSON Schema: {problem}")
        return None
    return schema
