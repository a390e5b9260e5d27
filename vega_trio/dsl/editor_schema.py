"""The JSON Schema of documents, for editors: made from the classes that documents are read into.

A field gives its key and, by its type, what may be written there; where the language takes more shapes than a class
has, or calls a field otherwise, the tables below say so. It is for completion and first hints: `vega validate` knows
what no schema can (names, expressions, files).
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from vega_trio.agent import BackoffConfig, BackoffType, Strategy, Supervision
from vega_trio.dsl.document import (
    AgentDefinition,
    ApprovalsDefinition,
    ContextDefinition,
    DelegationDefinition,
    LoggingDefinition,
    McpServerDefinition,
    Settings,
    SkillsDefinition,
    TracingDefinition,
)
from vega_trio.dsl.policy import BreakerDefinition, BudgetDefinition, RateLimitDefinition, RetryDefinition
from vega_trio.dsl.read_policies import RETRY_CLASSES
from vega_trio.dsl.read_settings import EXPORTERS, LIMITS, LOG_LEVELS
from vega_trio.dsl.read_types import TYPES
from vega_trio.dsl.tool import (
    BuiltinImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    Param,
    ToolDefinition,
)
from vega_trio.dsl.words import ACTIONS
from vega_trio.dsl.workflow import InputDefinition, StepOptions, WorkflowDefinition
from vega_trio.model_call import EFFECTS

Schema = dict[str, Any]

SUBSTITUTED: Schema = {"type": "string", "pattern": r"\$\{"}
TEXT: Schema = {"type": "string"}
ANY: Schema = {}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
DURATION: Schema = {"anyOf": [{"type": "number"}, TEXT], "description": "300ms, 30s, 1h30m, 2d, or seconds"}
MONEY: Schema = {"anyOf": [{"type": "number", "minimum": 0}, TEXT], "description": "$0.50 or 0.5"}
CONDITION: Schema = {"anyOf": [{"type": "boolean"}, TEXT], "description": "an expression, such as score >= 8"}
STEPS: Schema = {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/step"}}, {"$ref": "#/$defs/step"}]}
_BY_TYPE: Mapping[object, Schema] = {
    str: TEXT,
    int: {"anyOf": [{"type": "integer"}, SUBSTITUTED]},
    float: {"anyOf": [{"type": "number"}, SUBSTITUTED]},
    bool: {"anyOf": [{"type": "boolean"}, SUBSTITUTED]},
    object: ANY,
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def one_of(*choices: Schema) -> Schema:
    return {"anyOf": list(choices)}


def choice(*words: str) -> Schema:
    return {"anyOf": [{"enum": list(words)}, SUBSTITUTED]}


def named(definition: Schema) -> Schema:
    """A mapping from names to definitions, or a list of definitions with names."""
    return one_of({"type": "object", "additionalProperties": definition}, {"type": "array", "items": definition})


def mapping(properties: Mapping[str, Schema], **more: Any) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def keys_of(cls: type, **instead: Schema | None) -> dict[str, Schema]:
    """The keys that a class is read from, each with what may be written; None leaves a field out."""
    hints = get_type_hints(cls)
    found: dict[str, Schema] = {}
    for field in attrs.fields(cls):
        key = field.name.removesuffix("_s")
        if key in instead or field.name == "place":
            continue
        found[key] = dict(DURATION) if key != field.name else _of(hints[field.name])
        if isinstance(field.default, str | int | float) and field.default not in ("", False):
            found[key] = {**found[key], "default": field.default}
    return {**found, **{key: schema for key, schema in instead.items() if schema is not None}}


def _of(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kept = [_of(each) for each in arguments if each is not type(None)]
        return kept[0] if len(kept) == 1 else one_of(*kept)
    if origin is Literal:
        return choice(*arguments)
    if origin is tuple or origin is frozenset:
        return TEXTS
    if origin is not None:
        return {"type": "object"}
    if hint in _REFERENCES:
        return ref(_REFERENCES[hint])
    return _BY_TYPE[hint]


_REFERENCES: Mapping[object, str] = {
    BackoffConfig: "backoff",
    Supervision: "supervision",
    BudgetDefinition: "budget",
    RetryDefinition: "retry",
    RateLimitDefinition: "rate_limit",
    BreakerDefinition: "circuit_breaker",
    DelegationDefinition: "delegation",
    SkillsDefinition: "skills",
    ContextDefinition: "context",
    LoggingDefinition: "logging",
    TracingDefinition: "tracing",
    ApprovalsDefinition: "approvals",
}

_BACKOFF_TYPES = choice(*(str(each) for each in BackoffType))


def _policies() -> dict[str, Schema]:
    classes = {"type": "array", "items": {"enum": list(RETRY_CLASSES)}}
    backoff = keys_of(BackoffConfig, type=_BACKOFF_TYPES, initial=DURATION, max=DURATION)
    supervision = keys_of(
        Supervision,
        strategy=choice(*(str(each) for each in Strategy)),
        max_restarts=_BY_TYPE[int],
        window=DURATION,
        backoff=ref("backoff"),
        on_failure=None,
        on_restart=None,
        on_give_up=None,
    )
    tracing = keys_of(TracingDefinition, exporter=choice(*EXPORTERS))
    return {
        "backoff": one_of(_BACKOFF_TYPES, mapping(backoff)),
        "supervision": mapping(supervision),
        "budget": one_of(MONEY, mapping(keys_of(BudgetDefinition, limit=MONEY, limit_microusd=None))),
        "retry": mapping(keys_of(RetryDefinition, retry_on=classes)),
        "rate_limit": mapping(keys_of(RateLimitDefinition, models={"type": "object"})),
        "circuit_breaker": mapping(keys_of(BreakerDefinition)),
        "delegation": mapping(keys_of(DelegationDefinition)),
        "skills": mapping(keys_of(SkillsDefinition)),
        "context": mapping(keys_of(ContextDefinition)),
        "logging": mapping(keys_of(LoggingDefinition, level=choice(*LOG_LEVELS))),
        "tracing": mapping(tracing),
        "approvals": mapping(keys_of(ApprovalsDefinition)),
    }


# -- tools


def _tools() -> dict[str, Schema]:
    retry = mapping({"attempts": _BY_TYPE[int], "backoff": ref("backoff")})
    texts = {"type": "object"}
    http = keys_of(HttpImpl, url=TEXT, headers=texts, query=texts, body=ANY, retry=retry, method=TEXT)
    exec_ = {"command": TEXT, "env": texts}
    write = keys_of(FileWriteImpl, path=TEXT, content=TEXT, mode=one_of({"type": "integer"}, TEXT))
    kinds = {
        "http": (http, ["url"]),
        "exec": (exec_, ["command"]),
        "file_read": (keys_of(FileReadImpl, path=TEXT), ["path"]),
        "file_write": (write, ["path", "content"]),
        "builtin": (keys_of(BuiltinImpl), ["function"]),
    }
    implementations = [
        mapping({"type": {"const": kind}, **keys, "timeout": DURATION}, required=["type", *needed])
        for kind, (keys, needed) in kinds.items()
    ]
    param = keys_of(Param, type=ref("type"), default=ANY, has_default=None, enum={"type": "array"},
                    items=ref("param"), properties=ref("params"))  # fmt: skip
    effects = {"type": "array", "items": {"enum": list(EFFECTS)}}
    tool = keys_of(ToolDefinition, implementation=ref("implementation"), params=ref("params"), run=TEXT,
                   effects=effects, values=None, disabled=None)  # fmt: skip
    return {
        "type": {"enum": list(TYPES)},
        "param": one_of(ref("type"), mapping(param)),
        "params": named(ref("param")),
        "implementation": one_of(*implementations),
        "tool": mapping(tool),
    }


# -- workflows


def _workflows() -> dict[str, Schema]:
    input_ = keys_of(InputDefinition, type=ref("type"), default=ANY, has_default=None, enum={"type": "array"})
    options = keys_of(
        StepOptions,
        guard=None,
        id=TEXT,
        save=TEXT,
        on_timeout=STEPS,
        retry=one_of({"type": "integer", "minimum": 0}, SUBSTITUTED, ref("retry")),
        format=choice("json", "yaml"),
        schema={"type": "object"},
        tools=TEXTS,
    )
    asked = one_of(TEXT, {"type": "number"}, {"type": "boolean"}, mapping({"send": ANY, **options}))
    words = {
        "if": CONDITION,
        "for": TEXT,
        "repeat": mapping({"steps": STEPS, "until": CONDITION, "max": ANY}),
        "parallel": one_of(
            {"type": "array", "items": STEPS}, mapping({"agent": TEXT, "inputs": ANY, "save": TEXT, "limit": ANY})
        ),
        "try": STEPS,
        "workflow": TEXT,
        "set": {"type": "object"},
        "return": ANY,
        "remember": mapping({"key": ANY, "value": ANY}, required=["key", "value"]),
        "recall": mapping({"key": ANY, "save": TEXT, "default": ANY}, required=["key"]),
    }
    assert words.keys() == ACTIONS
    beside = {"then": STEPS, "else": STEPS, "steps": STEPS, "catch": STEPS, "with": {"type": "object"}, "limit": ANY}
    step = {
        "type": "object",
        "description": "one action, and options; a key that is no word of the language is an agent that is asked",
        "properties": {**words, **beside, **options, "send": ANY},
        "patternProperties": {r"^for\s": STEPS},
        "additionalProperties": one_of(asked, {"type": "null"}),
        "minProperties": 1,
    }
    listed = {"type": "array", "items": one_of(TEXT, ref("input"))}
    inputs = one_of(listed, {"type": "object", "additionalProperties": ref("input")})
    workflow = keys_of(WorkflowDefinition, inputs=inputs, steps=STEPS, output=ANY, declares_inputs=None, primary=None)
    return {
        "input": one_of(ref("type"), {"type": "null"}, mapping(input_)),
        "step": step,
        "workflow": mapping(workflow, required=["steps"]),
    }


# -- the whole


def _settings() -> dict[str, Schema]:
    server = keys_of(McpServerDefinition, transport=choice("stdio", "http", "sse"), disabled=_BY_TYPE[bool])
    limits = mapping({name: {"type": "number"} for name in LIMITS})
    price = dict.fromkeys(("input", "output", "cache_read", "cache_write"), MONEY)
    settings = keys_of(
        Settings,
        skills_directories=None,
        skills_trust=None,
        skills=mapping({"directories": TEXTS, "trust": TEXTS}),
        http_allow=None,
        http=mapping({"allow": TEXTS}),
        commands_sandbox=None,
        commands=mapping({"sandbox": choice("bwrap", "none")}),
        memory_enabled=None,
        memory_model=None,
        memory=mapping({"enabled": _BY_TYPE[bool], "model": TEXT}),
        mcp_servers=None,
        mcp=mapping({"servers": one_of(named(ref("server")), {"type": "array"})}),
        limits=limits,
        prices={"type": "object", "additionalProperties": mapping(price, required=["input", "output"])},
    )
    return {"server": mapping(server), "settings": mapping(settings)}


def json_schema() -> Schema:
    """The schema of a whole document, draft 2020-12."""
    agent = keys_of(AgentDefinition, tools=TEXTS, extends=TEXT)
    tools = {"type": "object", "properties": {"include": TEXTS}, "additionalProperties": ref("tool")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Vega document",
        "type": "object",
        "properties": {
            "name": TEXT,
            "description": TEXT,
            "agents": named(ref("agent")),
            "workflows": named(ref("workflow")),
            "tools": one_of(tools, {"type": "array", "items": ref("tool")}),
            "settings": ref("settings"),
            "channels": {"description": "ignored"},
            "company": {"description": "ignored"},
        },
        "patternProperties": {"^x-": ANY},
        "additionalProperties": False,
        "$defs": {"agent": mapping(agent), **_policies(), **_tools(), **_workflows(), **_settings()},
    }
